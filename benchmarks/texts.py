"""The words of docs/benchmarks.md; its numbers come from results."""

from typing import Final

TITLES: Final = {
    "dense": "Training a dense autoencoder",
    "conv": "Training a convolutional autoencoder",
    "quality": "Seconds until the copy is good",
    "scoring": "Scoring",
    "growth": "How time and memory grow",
    "startup": "Starting",
}

HEAD: Final = """\
# Benchmarks

Made by `python -m benchmarks report` from the JSON files in `docs/benchmarks/`. To measure on a
machine of yours, which should do nothing else meanwhile:

```
$ pip install -e '.[benchmarks]'
$ python -m benchmarks dense conv quality scoring growth startup
$ python -m benchmarks report
```

All peers install beside each other on Python 3.11 with Keras 3.15. `--quick` takes a few steps of
everything, `--only PEER` measures one program, `--repeats N` sets the rounds.

Each program is a process of its own, and they take turns: A B C A B C. Figures are medians over
the rounds. Wall seconds are what a user waits, CPU seconds what all threads and child processes
work together (`getrusage`), and the peak memory is the process' largest resident set. The warm-up,
which compiles, has its own column and is no part of a throughput. Nothing limits the threads."""

NONE_YET: Final = "Nothing has been measured yet."

ABOUT: Final = {
    "dense": "784-128-64-28-64-128-784, relu inside, sigmoid outside, binary cross-entropy, Adam, "
    "batch 100, MNIST's 60,000 training images. The first epoch is the warm-up; those after it are "
    "measured for ten seconds, at least one whole.",
    "conv": "Keras' denoising sample (two strided convolutions of 32 and 64 filters down to a "
    "latent of 16, mirrored), MSE, Adam, batch 128, 50 steps an epoch; clean images in and out, so "
    "that nobody pays for noise. The first epoch is the warm-up; those after it are measured for "
    "ten seconds, at least one whole. rapidae, scikit-learn and PyOD train no such network, or "
    "train it with Keras' own `fit`.",
    "quality": "MNIST's 10,000 test images after every epoch; the clock runs from the call of "
    "`fit`, compilation, profile and plan included, and stands still while they are scored. "
    "'denoise' is the mean squared error against the clean images with noise gaussian:0.5,0.5 "
    "(clipped to [0, 1], the same for everyone) at latent 16, to 0.01548, where Keras' sample ends "
    "after 30 epochs. 'copy' is the squared error summed over an image at latent 30, to 3.00, what "
    "Hinton & Salakhutdinov (2006) published. Each round has a seed of its own. A training ends at "
    "the figure, after its epochs, or after half an hour.",
    "scoring": "MNIST's 60,000 training images; the models are the seed models after one epoch. "
    "The warm-up scores 2,000 images.",
    "growth": "From a memory-mapped .npy file: one epoch of `fit`, and `evaluate`, each with "
    "imports, profile and compilation. Rows vary at 28x28 and latent 16, sides (of square images) "
    "and latent at 5,000 rows.",
    "startup": "`import` and `--help` are whole processes, to their end. A first step is counted "
    "from the import to the end of the first batch.",
}

# What they mean: figures of the tables and of `python -m benchmarks.step`, or said to be others.
MEANING: Final[dict[str, str]] = {
    "dense": """\
What makes truecopy's `fit` differ from Keras' on the same model:

- Steps are taken 16 at a time in one compiled program (`training/grouping.py`), where no callback
  wants every batch. Keras 3.15 on JAX dispatches each step from Python, with all weights and the
  optimizer's state. In one process, in turns: 49,000 images per CPU second in groups, 43,700 one
  by one, without any data pipeline.
- The batches of a group are drawn and scaled as one array that JAX takes without a copy.
- Metrics are for held-out rows: the mean squared error of every step would cost another 7 %.
- Losses see a row as a vector. With rows of 28x28x1 the last axis has one value, and XLA computes
  Keras' binary cross-entropy over it value by value: half the speed.

The machine's speed varies by a sixth from minute to minute, the order of the programs in each round
does not; in one process, in turns, truecopy was 1.2 times as fast as Keras on JAX, too.""",
    "conv": """\
XLA's CPU backend is slow at a few kinds of convolution: `truecopy.accelerate` (which `fit` uses)
puts equal ones in their place, and keeps the memory of a step for the next one
(`training/allocation.py`): without that a step took 16,000 page faults, 120 ms in place of 80 and
168 ms of CPU time in place of 115. Per CPU second it is level with PyTorch; by the clock PyTorch's
loop is ahead, because XLA runs strided convolutions on one core, and Keras on TensorFlow, whose
oneDNN kernels run the ordinary convolutions faster as well, is ahead by both.
Where a step of the sample goes
(`python -m benchmarks.step`; its three slow convolutions are weight gradients):

| convolution | GFLOP | XLA, ms | GFLOP/s | truecopy, ms | GFLOP/s |
|---|---:|---:|---:|---:|---:|
| 128x28x28x1 * 3x3x1x32, strides (2, 2), dilated (1, 1) | 0.014 | 0.33 | 43 | as it is |  |
| 128x14x14x32 * 3x3x32x64, strides (2, 2), dilated (1, 1) | 0.231 | 2.70 | 86 | as it is |  |
| 128x7x7x64 * 3x3x64x64, strides (1, 1), dilated (2, 2) | 0.462 | 5.00 | 93 | as it is |  |
| 128x14x14x64 * 3x3x64x32, strides (1, 1), dilated (2, 2) | 0.925 | 13.90 | 67 | as it is |  |
| 128x28x28x32 * 3x3x32x1, strides (1, 1), dilated (1, 1) | 0.058 | 5.06 | 11 | as it is |  |
| 128x28x28x32 * 128x28x28x1, strides (1, 1), dilated (1, 1) | 0.058 | 13.97 | 4 | 4.07 | 14 |
| 128x28x28x1 * 3x3x32x1, strides (1, 1), dilated (1, 1) | 0.058 | 1.57 | 37 | as it is |  |
| 128x14x14x64 * 128x28x28x32, strides (1, 1), dilated (2, 2) | 0.925 | 220.61 | 4 | 10.78 | 86 |
| 128x28x28x32 * 3x3x64x32, strides (2, 2), dilated (1, 1) | 0.925 | 13.08 | 71 | as it is |  |
| 128x7x7x64 * 128x14x14x64, strides (1, 1), dilated (2, 2) | 0.462 | 84.84 | 5 | 5.10 | 91 |
| 128x14x14x64 * 3x3x64x64, strides (2, 2), dilated (1, 1) | 0.462 | 5.67 | 82 | as it is |  |
| 128x14x14x32 * 128x7x7x64, strides (1, 1), dilated (1, 1) | 0.231 | 6.58 | 35 | as it is |  |
| 128x7x7x64 * 3x3x32x64, strides (1, 1), dilated (2, 2) | 0.231 | 1.91 | 121 | as it is |  |
| 128x28x28x1 * 128x14x14x32, strides (1, 1), dilated (1, 1) | 0.014 | 0.46 | 31 | as it is |  |
| the whole step | | 457.1 | | 93.4 | |

76 of the accelerated step's 93 ms are convolutions, most of them XLA's own at 65 to 95 GFLOP/s of
the 100 to 150 that these cores have. What was tried for them: transposed convolutions as dense ones
for each phase, and each convolution as two or four of a part of the batch (XLA runs them one after
the other), which gained nothing; one C library arena for all threads, which cost a quarter.""",
    "quality": """\
Why the defaults of `model="dense"` and `model="conv"` for pictures are what they are (test error on
the denoising task, latent 16; one run each on the same machine, with the seconds it took):

| model | epochs | s | test MSE |
|---|---:|---:|---:|
| dense 512-128, rate 0.001 | 20, falling | 62 | 0.0207 |
| dense 1024-256, rate 0.001, batch 256 | 20, falling | 102 | 0.0206 |
| dense 512-256-128, rate 0.002, batch 256 | 20, falling | 64 | 0.0211 |
| dense 512-128, **batch normalisation**, rate 0.001 | 8, falling | 26 | 0.0185 |
| the same, rate 0.004 (the default) | 8, falling | 26 | 0.0165 |
| the same, rate 0.008 | 8, falling | 27 | 0.0162 |
| the same, rate 0.004 | 15 of 20, falling | 53 | 0.0154 |
| dense 1024-256, batch normalisation, rate 0.002, batch 256 | 8, falling | 43 | 0.0165 |
| convolutions 32, 64 and dense 512-128 up, batch normalisation | 4, falling | 39 | 0.0167 |
| the sample's network (all filters up), rate 0.001 | 3, falling | 158 | 0.0241 |
| mirrored 32-64, batch normalisation, rate 0.004 (the default) | 4, falling | 59 | 0.0158 |
| the same with kernels of 4 | 4, falling | 80 | 0.0154 |

Training and test error hardly differ in any of them: what limits is optimisation, not the number
of images, and that is what batch normalisation and a falling rate help. Copying at latent 30
(squared error of an image): dense 4.02 without and 3.53 with batch normalisation after 20 epochs
(51 s, 60 s), mirrored convolutions 3.48 after 4 epochs (63 s).

Keras' sample on TensorFlow is what it is compared with: its 30 epochs took a quarter of an hour and
more, and this seed, with noise drawn once as published, ended a little above the published figure.
It was measured in the same hour, not in turns.""",
    "growth": """\
Some 12 s of a `fit` and 15 s of an `evaluate` are imports, compilation and what doesn't depend on
the rows; beyond, both take time in proportion to them. Memory stops growing with rows: they are
read a batch at a time, so that a million images need about as much as a hundred thousand. Time and
memory grow with the size of an image, because batches do; the latent's width costs nothing that
can be seen beside the scatter of single runs, which these are. They showed that a pixel cost
`evaluate` half as much again at 128x128 as at 32x32: figures are now added up in pieces that fit
the cache (2,000 images of 128x128 in 19.6 CPU seconds where it took 30.8, with 0.7 GB less), which
the table doesn't have yet.""",
    "startup": """\
Keras and JAX are imported when they are first needed, not by `import truecopy` or `--help`. A first
step waits for them, for the profile, the plan and one compilation. Most of what a program waits for
is the import of Keras and its backend.""",
}
