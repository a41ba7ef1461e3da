"""What a run has learned, as its devices tell by READs: classes that are told apart, functions that are met."""
