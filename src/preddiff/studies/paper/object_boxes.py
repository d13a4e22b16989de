"""Boxes around the objects on pictures that GoogLeNet classifies correctly."""

BoundingBox = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are the first that lie outside."""

OBJECT_BOXES: dict[str, BoundingBox] = {
    "ostrich": (85, 46, 134, 170),
    "African_elephant": (0, 96, 224, 142),
    "sax": (15, 0, 80, 222),
    "teapot": (85, 30, 224, 182),
    "bald_eagle": (20, 42, 172, 224),
    "white_wolf": (85, 10, 224, 178),
    "flamingo": (40, 65, 185, 190),
    "soccer_ball": (5, 90, 140, 218),
    "king_penguin": (36, 34, 172, 212),
    "indigo_bunting": (58, 22, 170, 116),
    "ladybug": (100, 98, 222, 190),
    "violin": (104, 48, 190, 186),
}
"""Drawn by eye on the 224×224 pixels that GoogLeNet sees, on pictures whose object leaves room.

A box that fills the picture would hold all of the relevance, wherever that lies.
"""
