"""The models of a server: each loaded once, when it is first needed, and shared by all work."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photochrom.colorizer import Colorizer, load_engine
from photochrom.engines.base import Engine
from photochrom.engines.catalog import find_card, model_cards
from photochrom.engines.hub import find_model, installed_models
from photochrom.options import ColorizeOptions, EngineOptions, RestoreOptions
from photochrom.studio.stopping import Stop, stoppable

if TYPE_CHECKING:
    from photochrom.restorer import Mask, Restorer

MOST_COLOR_MODELS = 3


class Sessions:
    """Models by name. Safe to share between threads.

    Args:
        engine_options: threads and device.
        allowed: model files given by who started the server, by the name that callers use for them.
    """

    def __init__(self, engine_options: EngineOptions | None = None, allowed: dict[str, Path] | None = None) -> None:
        self._engine_options = engine_options
        self.allowed = allowed or {}
        self._color: dict[str, Engine] = {}
        self._stages: dict[tuple[str, str], Any] = {}
        self._loading = threading.Lock()

    def engine(self, model: str) -> Engine:
        """Return the engine of a colour model.

        Raises:
            UnknownModelError, ModelNotInstalledError, ModelFileError: there is none of that name, or it cannot be
                loaded. Paths are names of no model here.
        """
        with self._loading:
            if model not in self._color:
                path = self._path_or_name(model)
                if len(self._color) >= MOST_COLOR_MODELS:
                    self._color.pop(next(iter(self._color)))  # whoever still uses it holds it until then
                self._color[model] = load_engine(path, self._engine_options)
            return self._color[model]

    def file_of(self, model: str) -> Path:
        """Return the file of a model; raises as ``engine``."""
        return find_model(self._path_or_name(model)).path

    def colorizer(
        self,
        options: ColorizeOptions,
        restoring: RestoreOptions | None = None,
        *,
        stop: Stop | None = None,
        mask: Mask | None = None,
    ) -> Colorizer:
        """Return a session over shared models; it need not be closed. ``mask`` is what restoring is to fill."""
        engine = stoppable(self.engine(options.model), stop or Stop())
        restorer = self.restorer(restoring, stop=stop, mask=mask) if restoring else None
        return Colorizer(options=options, engine=engine, engine_options=self._engine_options, restore=restorer or False)

    def restorer(self, options: RestoreOptions, *, stop: Stop | None = None, mask: Mask | None = None) -> Restorer:
        """Return a session over shared models; it need not be closed."""
        from photochrom.restorer import Restorer  # brings ONNX Runtime along, which the page need not wait for

        names = {kind: str(getattr(options, f"{kind}_model")) for kind in ("damage", "inpaint", "noise", "tone")}
        for name in names.values():
            self._path_or_name(name)
        with self._loading:
            known = {kind: self._stages[kind, name] for kind, name in names.items() if (kind, name) in self._stages}
            loaded = Restorer(options, engines=known, engine_options=self._engine_options, mask=mask)
            self._stages |= {(kind, names[kind]): engine for kind, engine in loaded.engines.items()}
        engines: dict[str, Any] = {kind: stoppable(engine, stop or Stop()) for kind, engine in loaded.engines.items()}
        return Restorer(options, engines=engines, engine_options=self._engine_options, mask=mask)

    def _path_or_name(self, model: str) -> str:
        if model in self.allowed:
            return str(self.allowed[model])
        if model not in installed_models():
            find_card(model)
        return model

    def close(self) -> None:
        """Release the models' memory."""
        for engine in [*self._color.values(), *self._stages.values()]:
            engine.close()


def known_models() -> list[dict[str, object]]:
    """Return what is said of each model that a caller may name."""
    imported = {name: file.card for name, file in installed_models().items() if file.card is not None}
    cards = (model_cards() | imported).values()
    return [card.model_dump(include={"name", "kind", "contract", "licence", "summary", "sha256"}) for card in cards]
