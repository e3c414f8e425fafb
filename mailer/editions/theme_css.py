"""The theme's tokens as CSS variables, for the pages that staff look at: reports, the preview, proofs."""

import msgspec

from mailer.editions.theme import Palette, Theme


def theme_css(theme: Theme) -> str:
    """The tokens as variables, the dark ones for readers whose system is dark."""
    fonts = f"--serif:{theme.type.serif};--sans:{theme.type.sans};--radius:{theme.shape.radius}px"
    return (
        f":root{{color-scheme:light dark;{fonts};{_variables(theme.light)}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{_variables(theme.dark)}}}}}"
    )


def _variables(palette: Palette) -> str:
    return ";".join(f"--{name.replace('_', '-')}:{value}" for name, value in msgspec.structs.asdict(palette).items())
