"""Ready-made workflows, one pattern per file. Definitions only: nothing here runs anything."""

from orchestration_kit.templates.build_website import create_build_website_workflow
from orchestration_kit.templates.generic_pipeline import create_generic_pipeline

__all__ = ["create_build_website_workflow", "create_generic_pipeline"]
