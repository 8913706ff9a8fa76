"""From anyone's Keras model, data and script to facts, findings and the proof of a fix."""
