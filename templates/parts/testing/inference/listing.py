"""What holds whatever a provider offers: its models are listed, and it says how it fares."""

from __future__ import annotations

from typing import TypeVar

from ...runtime.models import ModelType, ProviderModel
from ...runtime.wiring import Health
from ..suite import Served, Suite

P = TypeVar("P", bound=Served)


class InferenceSuite(Suite[P]):
    """What holds whatever a provider offers."""

    def test_its_models_are_listed(self) -> None:
        async def test(provider: P) -> None:
            models = await provider.list_models()
            assert all(isinstance(each, ProviderModel) for each in models), "models are ProviderModels"
            names = [each.id for each in models]
            assert all(names), f"a model has a name: {names}"
            assert len(names) == len(set(names)), f"each model is listed once: {names}"
            if provider.lists_all:
                wanted = set(self.models().items())
                found = {(each.id, each.model_type) for each in models}
                assert wanted <= found, f"a list that is said to be whole has {wanted}; it has {found}"

        self.run(test)

    def test_it_is_healthy(self) -> None:
        async def test(provider: P) -> None:
            health = await provider.health()
            assert isinstance(health, Health), "health is told as a Health"
            assert health.status != "Error", f"it serves, and calls itself ill: {health.message}"

        self.run(test)

    def models(self) -> dict[str, ModelType]:
        """The models that the suite uses. Each suite adds its own."""
        return {}
