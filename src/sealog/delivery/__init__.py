"""Events out, stream by stream, each to its destination at its own pace."""
