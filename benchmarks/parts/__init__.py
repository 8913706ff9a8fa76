"""What each part of the benchmarks measures, and against whom."""
