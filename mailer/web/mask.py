"""An address as a stranger may see it: enough for its owner to know it, too little for anybody else."""

_DOTS = "•" * 5  # always five: the length says something too


def masked(address: str) -> str:
    """
    A hint at whose address this is.

    >>> masked("embajada@ambito.example")
    'e•••••@a•••••.example'
    """
    local, _, domain = address.rpartition("@")
    name, _, top = domain.rpartition(".")
    return f"{local[:1]}{_DOTS}@{name[:1]}{_DOTS}.{top}"
