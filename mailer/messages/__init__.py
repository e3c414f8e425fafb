"""What one person receives: `stencil.cut` prepares an Edition, the front door `personalise` makes each Message."""
