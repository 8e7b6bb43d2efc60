"""Font stacks made of fonts that systems bring along: nothing is loaded over the network.

The stacks follow https://modernfontstacks.com (CC0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration_kit.workers.website.spec import Font

STACKS: dict[Font, str] = {
    "grotesque": "Inter, Roboto, 'Helvetica Neue', 'Arial Nova', Arial, sans-serif",
    "humanist": "Seravek, 'Gill Sans Nova', Ubuntu, Calibri, 'Noto Sans', 'Liberation Sans', sans-serif",
    "geometric": "Avenir, Montserrat, Corbel, 'URW Gothic', 'Liberation Sans', sans-serif",
    "transitional": "Charter, 'Bitstream Charter', 'Sitka Text', Cambria, serif",
    "oldstyle": "'Iowan Old Style', 'Palatino Linotype', 'URW Palladio L', P052, 'Liberation Serif', serif",
    "slab": "Rockwell, 'Rockwell Nova', 'Roboto Slab', 'DejaVu Serif', 'Sitka Small', serif",
    "didone": "Didot, 'Bodoni MT', 'Noto Serif Display', 'URW Palladio L', P052, Sylfaen, serif",
}
