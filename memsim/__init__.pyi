"""The public names, and where each is: one line declares it, for Python and for checkers of types."""

from . import analysis as analysis
from . import calibration as calibration
from . import configuration as configuration
from . import datasets as datasets
from . import devices as devices
from . import errors as errors
from .configuration.sections import Configuration as Configuration
from .configuration.sections import Timing as Timing
from .configuration.sections import TraceSection as TraceSection
from .configuration.sections import WriteEncoding as WriteEncoding
from .convergence.drive_dt import check_drive_dt as check_drive_dt
from .convergence.network_dt import check_dt as check_dt
from .datasets import Dataset as Dataset
from .devices import CarrierMemristor as CarrierMemristor
from .devices import Node as Node
from .devices import Synapse as Synapse
from .devices import ThresholdMemristor as ThresholdMemristor
from .driving import waveforms as waveforms
from .driving.drive import drive as drive
from .driving.drive_trace import open_drive as open_drive
from .exporting import export as export
from .fitting.least_squares import fit as fit
from .hysteresis.loop_sweep import hysteresis_loops as hysteresis_loops
from .network import schedule as schedule
from .network.networks import MultilayerPerceptron as MultilayerPerceptron
from .network.networks import SingleLayerPerceptron as SingleLayerPerceptron
from .runs import margins as margins
from .runs.calls import load as load
from .runs.calls import run as run
from .runs.calls import train as train
from .runs.opening import open_run as open_run
from .runs.prediction import evaluate as evaluate
from .runs.pulses import pulse_table as pulse_table
from .runs.run import Run as Run
from .runs.telling import EpochReport as EpochReport
from .runs.telling import StopTraining as StopTraining
from .scoring.classification import classification as classification
from .scoring.regression import regression as regression
from .sweeping.results import open_sweep as open_sweep
from .user_models.declaring import device_model as device_model
from .user_models.declaring import parameter as parameter
from .user_models.declaring import state as state
from .user_models.loading import load_models as load_models

__version__: str
