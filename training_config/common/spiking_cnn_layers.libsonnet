// The layers of the convolutional network of Jin et al. (2018) for MNIST, with its thresholds.
[
  { type: 'convolution', channels: 15, size: 5, threshold: 5.0 },
  { type: 'pooling', size: 2, threshold: 2.0 },
  { type: 'convolution', channels: 40, size: 5, threshold: 12.0 },
  { type: 'pooling', size: 2, threshold: 4.0 },
  { type: 'fully_connected', units: 300, threshold: 10.0 },
  { type: 'fully_connected', units: 10, threshold: 10.0, inhibition: 1.0 },
]
