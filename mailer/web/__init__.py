"""
The pages a reader meets: leave, choose, join, read.

GET, HEAD and OPTIONS never change anything (mail scanners open every link); no cookie is set; nothing is fetched from
anybody else.
"""
