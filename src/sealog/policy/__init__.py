"""What each tenant chose: which events are recorded, how they are delivered, how long they are kept; by version."""
