def measure_variational(subject, recorded):
    return None
