"""From client cross-products to the statistics of one model."""
