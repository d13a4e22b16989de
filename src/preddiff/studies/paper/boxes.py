"""Where the object is, on pictures that GoogLeNet is right about."""

Box = tuple[int, int, int, int]
"""x, y from; x, y up to."""

BOXES: dict[str, Box] = {
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
"""Drawn by eye on the 224×224 that GoogLeNet sees, of objects that leave room around them."""
