"""Who: the register of subscribers, imports, segments; the front door resolves segments into recipients."""
