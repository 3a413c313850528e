"""The glossary: plain, complete, and found under every name."""

import re

import pytest

from lucency.report.glossary import GLOSSARY, look_up, nearest

OF_THE_ARTICLE = [
    "artificial intelligence", "machine learning", "deep learning", "ground truth", "data curation", "data augmentation",
    "training set", "validation set", "test set", "Python", "deep learning framework", "tensor", "GPU", "TIOBE index",
    "parameter", "hyperparameter", "weight", "kernel", "filter", "kernel size", "stride", "padding", "activation function",
    "pooling", "architecture", "optimizer", "learning rate", "cost function", "loss function", "batch size", "epoch",
    "CNN", "convolution", "feature map", "max pooling", "average pooling", "fully connected layer", "dense layer", "sigmoid",
    "ReLU", "feature learning", "RNN", "GAN", "ImageNet", "ILSVRC", "LeNet", "AlexNet", "ZFNet", "GoogLeNet", "Inception",
    "VGG", "DenseNet", "ResNet", "U-Net", "Mask R-CNN", "transfer learning", "cross entropy", "mean squared error",
    "forward propagation", "back propagation", "gradient descent", "gradient", "batch gradient descent", "SGD",
    "mini-batch gradient descent", "SGD with momentum", "Nesterov accelerated gradient", "Adagrad", "Adadelta",
    "adaptive moment estimation", "AdaMax", "iteration", "overfitting", "ensemble", "k-fold cross-validation", "ROC",
    "Dice score", "F1 score", "Jaccard index", "IoU", "TPR", "sensitivity", "recall", "specificity", "true-negative rate",
    "false-positive rate", "false-negative rate", "generalizability",
]  # fmt: skip


@pytest.mark.parametrize("word", OF_THE_ARTICLE)
def test_every_term_of_the_article_is_explained(word: str) -> None:
    """Do, Song and Chung (2020) use it, so a reader may ask for it."""
    assert look_up(word) is not None


def test_each_entry_is_two_plain_sentences() -> None:
    """Short enough for a margin note, long enough to say why it matters."""
    for term in GLOSSARY.values():
        assert len(re.split(r"(?<=[.?!])\s+(?=[A-Z0-9“])", term.text)) in (2, 3), term.name
        assert len(term.text) < 260, term.name
        assert "  " not in term.text
        assert "- " not in term.text


def test_no_word_belongs_to_two_entries() -> None:
    """A synonym of two terms would explain the wrong one."""
    words = [word.lower() for term in GLOSSARY.values() for word in (term.name, *term.synonyms)]
    assert len(words) == len(set(words))
    assert len({term.slug for term in GLOSSARY.values()}) == len(GLOSSARY)


def test_capitals_do_not_matter_and_misspellings_are_met_halfway() -> None:
    """`lucency glossary Sensitvity` should help, not scold."""
    entry = look_up("RECALL")
    assert entry is not None
    assert entry.name == "sensitivity"
    assert look_up("sensitvity") is None
    assert nearest("sensitvity")[0] == "sensitivity"
