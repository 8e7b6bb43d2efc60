"""`orchestration-kit demo`: a goal in, a checked website out, and the record of how it came about."""

from orchestration_kit.demo.build import DEFAULT_GOAL, DemoResult, build_website, prepare_hub

__all__ = ["DEFAULT_GOAL", "DemoResult", "build_website", "prepare_hub"]
