"""Names and shapes of the arrays in the published files of DeOldify and DDColor, worked out without torch.

By these a file is recognised and checked before anything is made of it; ``nets.deoldify`` and ``nets.ddcolor`` have the
same names.
"""

from __future__ import annotations

from collections.abc import Iterator

Shape = tuple[int, ...]
Layout = dict[str, Shape]

RESNET34 = (3, 4, 6, 3)
RESNET101 = (3, 4, 23, 3)
# Per decoder block: channels in, of the skip, and out.
DEEP_BLOCKS = ((512, 256, 768), (768, 128, 768), (768, 64, 672), (672, 64, 300))
WIDE_BLOCKS = ((2048, 1024, 512), (512, 512, 512), (512, 256, 512), (512, 64, 256))
BLOCKS_2018 = ((512, 256, 1024), (1024, 128, 1024), (1024, 64, 1024), (1024, 64, 512))


def artistic_layout() -> Layout:
    """Return the layout of ColorizeArtistic_gen."""
    return dict([*_resnet("layers.0", RESNET34, bottleneck=False), *_final(512, DEEP_BLOCKS, deep=True)])


def stable_layout() -> Layout:
    """Return the layout of ColorizeStable_gen and ColorizeVideo_gen."""
    return dict([*_resnet("layers.0", RESNET101, bottleneck=True), *_final(2048, WIDE_BLOCKS, deep=False)])


def layout_2018(*, power_vectors: bool = True) -> Layout:
    """Return the layout of the 2018 files; those of torch 0.4 lack ``weight_v`` and store the ready ``weight``."""
    layout = dict([*_resnet("rn", RESNET34, bottleneck=False), *_decoder_2018()])
    if power_vectors:
        return layout
    spectral = [name for name in layout if name.endswith(".weight_orig")]
    ready = {name.removesuffix("_orig"): layout[name] for name in spectral}
    return {name: shape for name, shape in layout.items() if not name.endswith(".weight_v")} | ready


Entries = Iterator[tuple[str, Shape]]


def _norm(stem: str, channels: int) -> Entries:
    for name in ("weight", "bias", "running_mean", "running_var"):
        yield f"{stem}.{name}", (channels,)
    yield f"{stem}.num_batches_tracked", ()


def _spectral(stem: str, inputs: int, outputs: int, kernel: Shape, *, bias: bool = False) -> Entries:
    if bias:
        yield f"{stem}.bias", (outputs,)
    yield f"{stem}.weight_orig", (outputs, inputs, *kernel)
    yield f"{stem}.weight_u", (outputs,)
    area = 1
    for side in kernel:
        area *= side
    yield f"{stem}.weight_v", (inputs * area,)


def _resnet(stem: str, depths: tuple[int, ...], *, bottleneck: bool) -> Entries:
    yield f"{stem}.0.weight", (64, 3, 7, 7)
    yield from _norm(f"{stem}.1", 64)
    inputs = 64
    for stage, depth in enumerate(depths):
        width = 64 * 2**stage
        outputs = 4 * width if bottleneck else width
        for block in range(depth):
            name = f"{stem}.{stage + 4}.{block}"
            shapes = (
                [(width, inputs, 1), (width, width, 3), (outputs, width, 1)]
                if bottleneck
                else [(width, inputs, 3), (width, width, 3)]
            )
            for number, (out, into, side) in enumerate(shapes, start=1):
                yield f"{name}.conv{number}.weight", (out, into, side, side)
                yield from _norm(f"{name}.bn{number}", out)
            if inputs != outputs:
                yield f"{name}.downsample.0.weight", (outputs, inputs, 1, 1)
                yield from _norm(f"{name}.downsample.1", outputs)
            inputs = outputs


def _attention(stem: str, channels: int, gamma: Shape, *, bias: bool) -> Entries:
    yield f"{stem}.gamma", gamma
    for part, outputs in (("query", channels // 8), ("key", channels // 8), ("value", channels)):
        yield from _spectral(f"{stem}.{part}", channels, outputs, (1,), bias=bias)


def _final(bottleneck: int, blocks: tuple[tuple[int, int, int], ...], *, deep: bool) -> Entries:
    yield from _norm("layers.1", bottleneck)
    for number, (inputs, outputs) in enumerate([(bottleneck, 2 * bottleneck), (2 * bottleneck, bottleneck)]):
        yield from _spectral(f"layers.3.{number}.0", inputs, outputs, (3, 3))
        yield from _norm(f"layers.3.{number}.2", outputs)
    for number, (inputs, skip, outputs) in enumerate(blocks, start=4):
        yield from _block(f"layers.{number}", inputs, skip, outputs, deep=deep)
    last = blocks[-1][2]
    yield "layers.8.conv.0.bias", (4 * last,)
    yield "layers.8.conv.0.weight_g", (4 * last, 1, 1, 1)
    yield "layers.8.conv.0.weight_v", (4 * last, last, 1, 1)
    for number in range(2):
        yield from _spectral(f"layers.10.layers.{number}.0", last + 3, last + 3, (3, 3), bias=True)
    yield from _spectral("layers.11.0", last + 3, 3, (1, 1), bias=True)


def _block(stem: str, inputs: int, skip: int, outputs: int, *, deep: bool) -> Entries:
    upsampled = inputs // 2 if deep else outputs
    yield from _spectral(f"{stem}.shuf.conv.0", inputs, 4 * upsampled, (1, 1))
    yield from _norm(f"{stem}.shuf.conv.1", 4 * upsampled)
    yield from _norm(f"{stem}.bn", skip)
    convs = [("conv1", upsampled + skip), ("conv2", outputs)] if deep else [("conv", upsampled + skip)]
    for name, into in convs:
        yield from _spectral(f"{stem}.{name}.0", into, outputs, (3, 3))
        yield from _norm(f"{stem}.{name}.2", outputs)
    if stem == "layers.5":
        yield from _attention(f"{stem}.{convs[-1][0]}.3", outputs, (1,), bias=False)


def _decoder_2018() -> Entries:
    for number, (inputs, skip, outputs) in enumerate(BLOCKS_2018, start=1):
        half = outputs // 2
        yield from _spectral(f"up{number}.x_conv.seq.0", skip, half, (1, 1), bias=True)
        yield from _upsampler_2018(f"up{number}.tr_conv.sequence", inputs, half)
        yield from _norm(f"up{number}.out.0", outputs)
        if number == 3:
            yield from _attention("up3.out.1", outputs, (), bias=True)
    yield from _upsampler_2018("up5.sequence", 512, 64)
    yield from _spectral("out.0.seq.0", 64, 3, (3, 3), bias=True)


def _upsampler_2018(stem: str, inputs: int, outputs: int) -> Entries:
    yield from _spectral(f"{stem}.0.0.seq.0", inputs, 4 * outputs, (3, 3), bias=True)
    yield from _norm(f"{stem}.0.0.seq.1", 4 * outputs)
    yield from _norm(f"{stem}.2", outputs)


def ddcolor_large_layout() -> Layout:
    """Return the layout of ddcolor_modelscope, ddcolor_artistic and ddcolor_paper."""
    return dict(_ddcolor((3, 3, 27, 3), (192, 384, 768, 1536)))


def ddcolor_tiny_layout() -> Layout:
    """Return the layout of ddcolor_paper_tiny."""
    return dict(_ddcolor((3, 3, 9, 3), (96, 192, 384, 768)))


def _pair(stem: str, *weight: int) -> Entries:
    """Yield a weight of this shape and a bias as long as its first axis."""
    yield f"{stem}.weight", weight
    yield f"{stem}.bias", (weight[0],)


def _ddcolor(depths: tuple[int, ...], widths: tuple[int, ...]) -> Entries:
    yield from (("mean", (1, 3, 1, 1)), ("std", (1, 3, 1, 1)))
    yield from _convnext("encoder.arch", depths, widths)
    blocks = ((widths[3], widths[2], 512), (512, widths[1], 512), (512, widths[0], 256))
    for number, block in enumerate(blocks):
        yield from _block(f"decoder.layers.{number}", *block, deep=False)
    yield from _spectral("decoder.last_shuf.conv.0", 256, 4096, (1, 1), bias=True)
    yield from _color_decoder("decoder.color_decoder")
    yield from _spectral("refine_net.0.0", 103, 2, (1, 1), bias=True)


def _convnext(stem: str, depths: tuple[int, ...], widths: tuple[int, ...]) -> Entries:
    before = 3
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        down, side = f"{stem}.downsample_layers.{stage}", 2 if stage else 4
        yield from _pair(f"{down}.{1 if stage else 0}", width, before, side, side)
        yield from _pair(f"{down}.{0 if stage else 1}", before if stage else width)
        yield from _pair(f"{stem}.norm{stage}", width)
        for block in range(depth):
            name = f"{stem}.stages.{stage}.{block}"
            yield f"{name}.gamma", (width,)
            yield from _pair(f"{name}.dwconv", width, 1, 7, 7)
            yield from _pair(f"{name}.norm", width)
            yield from _pair(f"{name}.pwconv1", 4 * width, width)
            yield from _pair(f"{name}.pwconv2", width, 4 * width)
        before = width
    yield from _pair(f"{stem}.norm", widths[-1])


def _color_decoder(stem: str) -> Entries:
    for turn in range(9):
        for kind, name in (("cross", "multihead_attn"), ("self", "self_attn")):
            layer = f"{stem}.transformer_{kind}_attention_layers.{turn}"
            yield f"{layer}.{name}.in_proj_weight", (768, 256)
            yield f"{layer}.{name}.in_proj_bias", (768,)
            yield from _pair(f"{layer}.{name}.out_proj", 256, 256)
            yield from _pair(f"{layer}.norm", 256)
        layer = f"{stem}.transformer_ffn_layers.{turn}"
        yield from _pair(f"{layer}.linear1", 2048, 256)
        yield from _pair(f"{layer}.linear2", 256, 2048)
        yield from _pair(f"{layer}.norm", 256)
    yield from _pair(f"{stem}.decoder_norm", 256)
    yield from (
        (f"{stem}.{name}.weight", (n, 256))
        for name, n in (("query_feat", 100), ("query_embed", 100), ("level_embed", 3))
    )
    for level, channels in enumerate((512, 512, 256)):
        yield from _pair(f"{stem}.input_proj.{level}", 256, channels, 1, 1)
        yield from _pair(f"{stem}.color_embed.layers.{level}", 256, 256)
