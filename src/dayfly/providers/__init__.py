"""One package a provider. Only their plugins' processes import them."""

import gc

# Before all other imports: a collection while they go on finds nothing, and takes its time.
gc.set_threshold(50_000)
