"""
A monthly newsletter's way from files to readers.

An *issue* (what was written) is compiled into *editions* (what it looks like, per language and segment); a *campaign*
freezes the *subscribers* of its *segments* into *recipients*; each gets one *message*, whose way out is a *delivery*
over a *transport*; what comes back is *feedback*, and may become a *suppression*.

Words, one a concept: issue, article, section; edition; subscriber, segment, recipient; message; campaign; delivery;
transport; suppression; feedback.
"""
