"""Desktop Kitchen POS: cloud tills in Mexico, with prices that include tax and one login per employee."""
