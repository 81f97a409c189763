"""For every row of the surface, a request that works for whoever may make it, and people with records to ask for."""

from recipes.calls import CLIENT_FORMS, RECIPES, Call, call, shape
from recipes.recipe import newcomer
from recipes.scene import Scene, Side, scene

__all__ = ["CLIENT_FORMS", "RECIPES", "Call", "Scene", "Side", "call", "newcomer", "scene", "shape"]
