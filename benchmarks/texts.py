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

# What they mean; filled in with the figures of a quiet machine.
MEANING: Final[dict[str, str]] = {
    "dense": """\
What makes truecopy's `fit` differ from Keras' on the same model:

- Losses and metrics see a row as a vector. With rows of 28x28x1 the last axis has one value, and
  XLA computes Keras' binary cross-entropy over it value by value. `Autoencoder`'s trainer went
  from 17,200 to 33,100 images per CPU second.
- Short steps of dense models are taken 16 at a time (`steps_per_execution`), where no callback
  wants every batch. Keras 3.15 on JAX repeats the compiled step in a Python loop and hands losses
  to callbacks once a group: nothing is compiled anew, and all results stay the same to the last
  bit. It went from 33,100 (quartiles 32,000 and 34,900) to 37,200 (35,100 and 39,000).
  Both were measured in one process on busy cores, in turns, 30 times two epochs of 8,000 images.
- It scales each batch from the bytes, and tracks the mean squared error beside the loss.""",
}
