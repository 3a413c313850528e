"""Weights from elsewhere: fetched whole or not at all, checked, and read as tensors alone."""

import hashlib
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors.torch import save

from lucency.domain.progress import Silence
from lucency.errors import Interrupted, SourceError
from lucency.network.pretrained import (
    WEIGHTS,
    Weights,
    at_hand,
    folder_of_weights,
    obtain,
    read_tensors,
    recognised,
    timm_weights,
    weights_for,
)

TENSORS = {"layer.weight": torch.arange(6.0).view(2, 3)}
CONTENT = save(TENSORS)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextmanager
def server(answers: dict[str, tuple[int, int, bytes]]) -> Iterator[tuple[str, list[str]]]:
    """Serve files on loopback, path → (status, Content-Length, body); yield the address and the paths asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, length, body = answers.get(self.path, (404, 0, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=httpd.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}", asked
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def published(url: str, sha256: str = SHA256[:8]) -> Weights:
    return Weights("mine", "resnet18", url, sha256, source="a test", licence="none", citation="")


def whole(path: str = "/w-1.safetensors") -> dict[str, tuple[int, int, bytes]]:
    return {path: (200, len(CONTENT), CONTENT)}


def test_weights_are_downloaded_once_and_checked(tmp_path: Path) -> None:
    """The second study on a machine needs no network any more."""
    with server(whole()) as (host, asked):
        weights = published(f"{host}/w-1.safetensors")
        first, second = (obtain(weights, tmp_path, Silence()) for _ in range(2))
    assert first == second == tmp_path / "w-1.safetensors"
    assert asked == ["/w-1.safetensors"]
    assert torch.equal(read_tensors(first)["layer.weight"], TENSORS["layer.weight"])
    assert obtain(weights, tmp_path, Silence()) == first  # the server is gone


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, len(CONTENT), CONTENT[:-5]), "broke off"),
        ((200, len(CONTENT), CONTENT[:-1] + b"?"), "thrown away"),
        ((200, 20, b"<html>log in</html>\n"), "thrown away"),
        ((404, 0, b""), "answered 404"),
        ((503, 0, b""), "answered 503"),
    ],
    ids=["half", "changed", "login page", "missing", "busy"],
)
def test_what_is_not_the_published_file_never_becomes_weights(
    answer: tuple[int, int, bytes], words: str, tmp_path: Path
) -> None:
    """A half file would train a network of noise, and a changed one whatever somebody wanted."""
    with server({"/w-1.safetensors": answer}) as (host, _), pytest.raises(SourceError, match=words):
        obtain(published(f"{host}/w-1.safetensors"), tmp_path / "weights", Silence())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_without_a_network_the_message_tells_the_way_out(tmp_path: Path) -> None:
    """Hospitals block the outside; the file can be carried in."""
    weights = published("http://127.0.0.1:9/w-1.safetensors")
    with pytest.raises(SourceError, match="LUCENCY_WEIGHTS"):
        obtain(weights, tmp_path, Silence())
    (tmp_path / "w-1.safetensors").write_bytes(CONTENT)
    assert obtain(weights, tmp_path, Silence()) == tmp_path / "w-1.safetensors"


def test_a_damaged_file_in_the_folder_is_refused(tmp_path: Path) -> None:
    """A copy that was cut short on the way must not be taken."""
    (tmp_path / "w-1.safetensors").write_bytes(CONTENT[:-5])
    with pytest.raises(SourceError, match="not the file that was published"):
        obtain(published("http://127.0.0.1:9/w-1.safetensors"), tmp_path, Silence())


def test_a_download_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle."""

    class Impatient(Silence):
        def advance(self, n_steps: int = 1, detail: str = "") -> None:
            raise Interrupted("stop")

    with server(whole()) as (host, _), pytest.raises(Interrupted):
        obtain(published(f"{host}/w-1.safetensors"), tmp_path, Impatient())
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_tells_the_hash_itself_is_asked_for_it(tmp_path: Path) -> None:
    """The hub of timm keeps a pointer (Git LFS) in place of each large file; the hash then stands in the file's name."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA256}\nsize {len(CONTENT)}\n".encode()
    answers = whole("/resolve/main/model.safetensors") | {"/raw/main/model.safetensors": (200, len(pointer), pointer)}
    with server(answers) as (host, asked):
        weights = replace(
            published(f"{host}/resolve/main/model.safetensors", sha256=""),
            architecture="timm:lambda_resnet26t",
            pointer_url=f"{host}/raw/main/model.safetensors",
        )
        path = obtain(weights, tmp_path, Silence())
        obtain(weights, tmp_path, Silence())
    assert path.name == f"timm-lambda_resnet26t-{SHA256[:8]}.safetensors"
    assert len(asked) == 2
    path.write_bytes(CONTENT + b"?")
    with pytest.raises(SourceError, match="not the file that was published"):
        obtain(weights, tmp_path, Silence())


def test_without_a_hash_nothing_is_downloaded(tmp_path: Path) -> None:
    """A server that tells none could send anything."""
    with server({"/raw": (200, 5, b"hello"), **whole("/model.safetensors")}) as (host, asked):
        weights = replace(published(f"{host}/model.safetensors", sha256=""), pointer_url=f"{host}/raw")
        with pytest.raises(SourceError, match="does not tell the SHA-256"):
            obtain(weights, tmp_path, Silence())
    assert asked == ["/raw"]


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1/0",)


def test_no_pickled_program_is_ever_run(tmp_path: Path) -> None:
    """A pickle can do anything while it is read (here it would divide by zero)."""
    (tmp_path / "bomb.pth").write_bytes(pickle.dumps({"layer.weight": Bomb()}, protocol=2))
    torch.save({"layer.weight": Bomb()}, tmp_path / "bomb.pt")
    for name in ("bomb.pth", "bomb.pt"):
        with pytest.raises(SourceError, match="cannot be read as weights"):
            read_tensors(tmp_path / name)


def test_files_of_tensors_are_read_whatever_wraps_them(tmp_path: Path) -> None:
    """Training programs save a state dict as it is, or under a name."""
    torch.save(TENSORS, tmp_path / "plain.pth")
    torch.save({"state_dict": TENSORS, "epoch": 3}, tmp_path / "wrapped.pth")
    (tmp_path / "safe.safetensors").write_bytes(CONTENT)
    for name in ("plain.pth", "wrapped.pth", "safe.safetensors"):
        assert torch.equal(read_tensors(tmp_path / name)["layer.weight"], TENSORS["layer.weight"])


@pytest.mark.parametrize("content", [b"", b"hello", CONTENT[:20]])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_holds_no_tensors_is_refused(content: bytes, suffix: str, tmp_path: Path) -> None:
    """With a sentence, whatever it is."""
    (tmp_path / f"x{suffix}").write_bytes(content)
    with pytest.raises(SourceError, match="cannot be read as weights"):
        read_tensors(tmp_path / f"x{suffix}")
    torch.save({"epoch": 3}, tmp_path / "numbers.pth")
    with pytest.raises(SourceError, match="something else than the tensors"):
        read_tensors(tmp_path / "numbers.pth")
    with pytest.raises(SourceError, match="There is no file"):
        read_tensors(tmp_path / "absent.pth")


def test_the_table_is_that_of_torchvision() -> None:
    """Addresses, hashes, scales and sizes are checked against torchvision's own list."""
    from torchvision.models import get_model_weights

    for weights in WEIGHTS.values():
        if weights.source != "torchvision":
            continue
        theirs = get_model_weights(weights.name).IMAGENET1K_V1
        assert weights.url == theirs.url
        assert weights.url.endswith(f"-{weights.sha256}.pth")
        assert [weights.side_px] == theirs.transforms().crop_size
        assert weights.n_classes == len(theirs.meta["categories"])
        if weights.name not in ("googlenet", "inception_v3"):
            assert list(weights.mean) == theirs.transforms().mean
            assert list(weights.deviation) == theirs.transforms().std


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_googles_networks_get_the_scale_that_torchvision_turns_theirs_into(name: str) -> None:
    """Their published mean and deviation hold only for torchvision's model, which converts them on the way in."""
    from torchvision import models

    network = getattr(models, name)(weights=None, init_weights=False, transform_input=True)
    images = torch.rand(2, 3, 4, 4)
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    inside = network._transform_input((images - mean) / deviation)
    ours = (images - torch.tensor(WEIGHTS[name].mean).view(1, 3, 1, 1)) / 0.5
    assert torch.allclose(inside, ours, atol=1e-6)


def test_the_networks_of_the_article_have_weights() -> None:
    """Mission rows 103 to 109: all but those that never had any published."""
    networks = (
        "alexnet vgg11 vgg16 vgg19 googlenet inception_v3 resnet18 resnet34 resnet50 resnet101 densenet121 densenet169"
    )
    for name in networks.split():
        assert weights_for("imagenet", name).architecture == name
        assert weights_for("imagenet", name).licence
        assert weights_for("imagenet", name).citation


def test_networks_of_timm_bring_their_own_description() -> None:
    """Mean, deviation, licence and address come from timm."""
    weights = weights_for("imagenet", "timm:vit_tiny_patch16_224")
    assert weights == timm_weights("timm:vit_tiny_patch16_224")
    assert weights.mean == (0.5, 0.5, 0.5)
    assert weights.licence == "apache-2.0"
    assert weights.url.startswith("https://huggingface.co/timm/vit_tiny_patch16_224.")


@pytest.mark.parametrize(
    ("name", "architecture", "words"),
    [
        ("imagenet", "lenet5", "no ImageNet weights of lenet5"),
        ("imagnet", "resnet18", "no weights named imagnet"),
        ("efficientnet-lite0", "resnet18", "timm:tf_efficientnet_lite0"),
        ("resnet18", "resnet34", "the plan names resnet34"),
        ("imagenet", "timm:no_such_network", "no ImageNet weights"),
    ],
)
def test_weights_that_do_not_exist_or_do_not_fit_are_refused(name: str, architecture: str, words: str) -> None:
    """With the way out."""
    with pytest.raises(SourceError, match=words):
        weights_for(name, architecture)


def test_a_published_file_is_recognised_by_its_hash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """So a file that was carried in by hand keeps its licence, its scale and its name."""
    (tmp_path / "anything.safetensors").write_bytes(CONTENT)
    assert recognised(tmp_path / "anything.safetensors", "resnet18") is None
    monkeypatch.setattr("lucency.network.pretrained.WEIGHTS", {"mine": published("")})
    assert recognised(tmp_path / "anything.safetensors", "resnet18") == published("")
    assert recognised(tmp_path / "anything.safetensors", "resnet34") is None


def test_the_folder_is_the_plans_then_the_variables_then_the_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab shares one folder; a laptop needs none named."""
    monkeypatch.setenv("LUCENCY_WEIGHTS", "/shared/weights")
    assert folder_of_weights("/mine") == Path("/mine")
    assert folder_of_weights() == Path("/shared/weights")
    monkeypatch.delenv("LUCENCY_WEIGHTS")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert folder_of_weights() == Path("/cache/lucency/weights")


def test_the_packaged_weights_are_here_and_whole() -> None:
    """Real ImageNet weights without any download; their hash is that which their file name begins with."""
    weights = WEIGHTS["efficientnet-lite0"]
    path = at_hand(weights, Path("/nowhere"))
    if path is None:
        pytest.skip("the extra `pretrained` is not installed")
    assert obtain(weights, Path("/nowhere"), Silence()) == path
    assert path.stem.endswith(weights.sha256[:8])


def test_a_package_that_is_not_installed_is_named(tmp_path: Path) -> None:
    """With the command that installs it."""
    weights = replace(WEIGHTS["efficientnet-lite0"], package="no_such_package/weights.pth")
    with pytest.raises(SourceError, match=r"lucency\[pretrained\]"):
        obtain(weights, tmp_path, Silence())
