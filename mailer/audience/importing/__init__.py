"""
Lists as offices keep them → subscribers. The front door is `importer.import_list`.

In order: `files` opens what the path names as a `Sheet`; `sheet` finds the heading and `headings` its columns; `rows`
makes arrivals of the cells; the register takes them in; `rejects` keeps what couldn't go in, ready to be mended.
"""
