"""Language models as workers: a pydantic-ai agent, or an address that speaks OpenAI's protocol.

    input ──> prompt ──> model <──> tools, each call through the hub ──> output, tokens, USD

They need the extra `llm`: `pip install 'orchestration-kit[llm]'`. Importing this imports no pydantic-ai.
"""

from orchestration_kit.workers.llm.actions import as_action
from orchestration_kit.workers.llm.agent import agent_worker
from orchestration_kit.workers.llm.endpoint import Endpoint, endpoint_worker
from orchestration_kit.workers.llm.errors import (
    AnswerUnusable,
    InvalidModel,
    MissingLlmExtra,
    ModelFailed,
    ModelRefused,
    ModelUnavailable,
    ToolBroken,
)
from orchestration_kit.workers.llm.patience import Patience

__all__ = [
    "AnswerUnusable",
    "Endpoint",
    "InvalidModel",
    "MissingLlmExtra",
    "ModelFailed",
    "ModelRefused",
    "ModelUnavailable",
    "Patience",
    "ToolBroken",
    "agent_worker",
    "as_action",
    "endpoint_worker",
]
