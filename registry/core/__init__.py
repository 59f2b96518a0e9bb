"""Pure decisions: arrays and records in, decisions out; numpy and scipy only."""
