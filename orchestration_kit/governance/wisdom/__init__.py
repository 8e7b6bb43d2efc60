"""Lessons: what runs taught, for workers of later runs, after a person or a policy approved it."""

from orchestration_kit.governance.wisdom.lesson import Lesson
from orchestration_kit.governance.wisdom.prompt import as_prompt
from orchestration_kit.governance.wisdom.store import Wisdom

__all__ = ["Lesson", "Wisdom", "as_prompt"]
