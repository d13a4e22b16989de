"""The list of operations that are known, by the names that torch gives them."""

from collections.abc import Callable

from preddiff.engines.incremental.compile.recognise import (
    arithmetic,
    elementwise,
    sliding,
    structure,
)
from preddiff.engines.incremental.compile.recognise.call import Recognised

Recogniser = Callable[..., Recognised]

_NAMES: dict[Recogniser, str] = {
    sliding.convolution: "conv1d conv2d conv3d",
    sliding.max_pool: "max_pool1d max_pool2d max_pool3d",
    sliding.average_pool: "avg_pool1d avg_pool2d avg_pool3d",
    sliding.adaptive_average_pool: "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d",
    sliding.mean: "mean",
    elementwise.relu: "relu ReLU",
    elementwise.relu6: "relu6 ReLU6",
    elementwise.clamp: "clamp clip hardtanh",
    elementwise.pointwise: "leaky_relu elu selu celu gelu silu mish hardswish hardsigmoid "
    "sigmoid logsigmoid tanh softplus softsign tanhshrink hardshrink softshrink threshold "
    "abs exp sqrt square pow erf "
    "LeakyReLU ELU SELU CELU GELU SiLU Mish Hardswish Hardsigmoid Sigmoid "
    "LogSigmoid Tanh Softplus Softsign Tanhshrink Hardshrink Softshrink Threshold",
    elementwise.normalisation: "batch_norm BatchNorm1d BatchNorm2d BatchNorm3d",
    elementwise.unchanged: "dropout dropout1d dropout2d dropout3d alpha_dropout "
    "feature_alpha_dropout stochastic_depth contiguous clone detach neg "
    "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout Identity",
    elementwise.local_response_norm: "local_response_norm",
    elementwise.across_channels: "prelu channel_shuffle PReLU ChannelShuffle Softmax2d",
    elementwise.softmax: "softmax log_softmax",
    elementwise.linear: "linear",
    elementwise.layer_norm: "layer_norm",
    arithmetic.add: "add",
    arithmetic.subtract: "sub",
    arithmetic.multiply: "mul div truediv",
    arithmetic.concatenate: "cat concat concatenate",
    structure.split: "split chunk",
    structure.getitem: "getitem",
    structure.permute: "permute",
    structure.transpose: "transpose swapaxes",
    structure.reshape: "view reshape",
    structure.unsqueeze: "unsqueeze",
    structure.pad: "pad",
}
RECOGNISED: dict[str, Recogniser] = {
    name: recogniser for recogniser, names in _NAMES.items() for name in names.split()
}
