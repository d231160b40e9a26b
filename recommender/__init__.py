"""The recommender core: listening data in, similar artists out. It knows no Discord, database or environment."""
