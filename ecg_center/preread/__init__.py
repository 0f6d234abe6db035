"""What the worker said of a recording, and the decoded waveform, as the centre's pages need them."""
