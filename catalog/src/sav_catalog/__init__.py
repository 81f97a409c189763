"""Articles, the stock of them, and the products that clients have installed, with their warranty."""
