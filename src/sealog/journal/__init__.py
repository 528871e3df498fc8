"""What has been durably accepted, in order, until the sealed log and the archive have it."""
