"""The same load on what people use instead, in the same run, so that ratios can be read."""
