"""What rests on disk and how it gets there: the data folder, `state.db` with its one writing thread, files."""
