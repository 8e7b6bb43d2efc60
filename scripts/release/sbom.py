"""Turn what is bundled and what is asked for into a CycloneDX 1.7 bill of materials: the same bytes for the same input.

What is bundled has its exact version. What pip installs beside the wheel is external and has a range, as CycloneDX 1.7
has it (https://cyclonedx.org/docs/1.7/json/#components_items_versionRange): a pin would promise what nobody chose.
There is no time and no serial number in it, as both would differ from build to build.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from scripts.release.bundled import Bundled
from scripts.release.declared import Declared

NAME = "orchestration-kit"


def sbom(version: str, bundled: Sequence[Bundled], declared: Sequence[Declared]) -> str:
    """Return the bill as JSON."""
    own = f"pkg:pypi/{NAME}@{version}"
    components = [_bundled(one) for one in bundled] + [_external(one) for one in declared]
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "component": {
                "type": "library",
                "bom-ref": own,
                "name": NAME,
                "version": version,
                "purl": own,
                "licenses": [{"license": {"id": "MIT"}}],
            },
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [one["bom-ref"] for one in components]}],
    }
    return json.dumps(bill, indent=2, ensure_ascii=False) + "\n"


def _bundled(one: Bundled) -> dict[str, Any]:
    purl = f"pkg:npm/{quote(one.name)}@{one.version}"
    group, _, name = one.name.rpartition("/")
    return {
        "type": "library",
        "bom-ref": purl,
        **({"group": group} if group else {}),
        "name": name,
        "version": one.version,
        "scope": "required",
        "licenses": _licences(one.licence),
        "purl": purl,
        "evidence": {"occurrences": [{"location": f"orchestration_kit/widgets/static/{file}"} for file in one.bundles]},
    }


def _external(one: Declared) -> dict[str, Any]:
    purl = f"pkg:pypi/{one.name}"
    extras = [{"name": f"{NAME}:extra", "value": extra} for extra in one.for_extras]
    return {
        "type": "library",
        "bom-ref": purl,
        "name": one.name,
        "versionRange": f"vers:pypi/{'|'.join(sorted(one.range.split(',')))}",
        "isExternal": True,
        "scope": "optional" if one.for_extras else "required",
        "licenses": _licences(one.licence),
        "purl": purl,
        **({"properties": extras} if extras else {}),
    }


def _licences(spdx: str) -> list[dict[str, Any]]:
    if spdx.startswith("LicenseRef-"):
        return [{"license": {"name": spdx.removeprefix("LicenseRef-") + " licence"}}]
    return [{"expression": spdx}] if " " in spdx else [{"license": {"id": spdx}}]
