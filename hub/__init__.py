"""OpenPOS hub: one order model between those who take orders and the systems that work them."""
