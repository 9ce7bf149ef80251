"""Looking things up in vector stores: documents put in, chunks found and put so that a model can be given them."""
