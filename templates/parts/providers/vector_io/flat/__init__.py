"""faiss, which compares a vector with all others in memory."""
