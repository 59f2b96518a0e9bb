"""Pure decisions: arrays and records in, decisions out; numpy, scipy and scikit-learn only."""
