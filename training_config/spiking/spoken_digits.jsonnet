// HM2-BP on spoken digits; Jin et al. (2018) have TI46, which is not free.
(import '../common/spiking_speech.libsonnet') + {
  model+: { network+: { gradient: { type: 'hm2_bp', injected_spikes: 12 } } },
}
