"""What the law says that more than one room applies: VAT and mentions, the right to withdraw, as data with dates."""
