"""The offline classifier is the published network: it knows what scikit-image's samples show."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import skimage

from photochrom.errors import MissingExtraError
from photochrom.evaluation.classifier import Classifier, load_classifier


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier()


@pytest.mark.slow
def test_the_classifier_knows_a_cat_and_an_espresso(classifier: Classifier) -> None:
    features, classes = classifier([skimage.data.chelsea(), skimage.data.coffee()])
    assert features.shape == (2, 1280)
    assert features.dtype == np.float32
    assert features.min() >= 0  # ReLU6, averaged
    assert features.max() <= 6
    assert classes[0] in {281, 282, 285}  # tabby, tiger cat, Egyptian cat
    assert classes[1] == 967  # espresso
    assert len(classifier.facts["weights_sha256"]) == 64


@pytest.mark.slow
def test_a_batch_gives_what_single_pictures_give(classifier: Classifier) -> None:
    pictures = [skimage.data.chelsea(), skimage.data.coffee()[::3, ::2]]
    together, _ = classifier(pictures)
    for picture, row in zip(pictures, together, strict=True):
        np.testing.assert_allclose(classifier([picture])[0][0], row, atol=1e-4)


def test_without_pytorch_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"need PyTorch\. Run: pip install 'photochrom\[train\]'"):
        load_classifier()
