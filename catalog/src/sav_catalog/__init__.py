"""Articles, their stock, and the products installed at clients, with their warranty."""
