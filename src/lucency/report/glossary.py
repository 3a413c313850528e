"""Every term of the article and of the report in two plain sentences; shown on hover, in the report and by `glossary`."""

import difflib
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One entry of the glossary."""

    name: str
    text: str
    synonyms: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """The name as an HTML identifier."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def other_names(self) -> list[str]:
        """The synonyms that are words, without the keys of the plan."""
        return [word for word in self.synonyms if "_" not in word]


def look_up(word: str) -> Term | None:
    """Return the entry of a name or a synonym, whatever its capitals."""
    return _BY_WORD.get(word.lower())


def nearest(word: str, n: int = 3) -> list[str]:
    """Return the names of the entries that are written most like a word."""
    matches = difflib.get_close_matches(word.lower(), _BY_WORD, n * 2, 0.5)
    return list(dict.fromkeys(_BY_WORD[match].name for match in matches))[:n]


_TERMS = (
    # Patients, images and labels
    Term(
        "patient",
        "The person an image belongs to. Patients, not images, are kept apart between training and test, because "
        "two images of one patient resemble each other.",
    ),
    Term(
        "exam",
        "One visit of a patient to a machine, with all images made then. DICOM calls it a study; here a study is "
        "the research.",
        ("DICOM study", "examination"),
    ),
    Term(
        "ground truth",
        "The correct answer for each image, as far as it can be known: from experts, from reports or from follow-"
        "up. The network learns to agree with it, errors included.",
        ("reference standard", "gold standard"),
    ),
    Term(
        "label",
        "The name that the ground truth gives to an image, such as “pneumonia”. One wrong label teaches one wrong "
        "lesson.",
        ("annotation", "target"),
    ),
    Term(
        "label noise",
        "The share of labels that are wrong. Networks learn wrong labels as eagerly as right ones, and wrong labels in the "
        "test part make good networks look bad.",
        ("noisy labels", "wrong labels"),
    ),
    Term(
        "confident learning",
        "A way to find wrong labels: networks judge images that they did not learn from, and an image that one firmly takes "
        "for another class is suspect (Northcutt 2021). What networks get wrong is suspected too.",
        ("confident joint",),
    ),
    Term(
        "mask",
        "A picture of the same size as the image in which every pixel says whether it belongs to a lesion or organ. An empty "
        "mask says that somebody looked and found nothing.",
        ("segmentation mask", "outline"),
    ),
    Term(
        "label map",
        "A mask that holds several structures: each has a number of its own, and 0 is background. Without a list of names "
        "nobody knows what the numbers mean.",
        ("labelmap", "multi-label mask"),
    ),
    Term(
        "bounding box",
        "The smallest upright rectangle around a lesion, given by its left and upper edge, width and height. It is quicker to "
        "draw than an outline, and says less.",
        ("box", "bbox"),
    ),
    Term(
        "COCO",
        "A format for boxes and outlines of many images in one text file, named after a data set (Lin 2014). Most tools for "
        "labelling pictures write it.",
        ("COCO file",),
    ),
    Term(
        "DICOM SEG",
        "A DICOM object that holds masks and refers to the images they were drawn on. It can be kept in the PACS beside the "
        "exam.",
        ("DICOM segmentation", "segmentation object"),
    ),
    Term(
        "RTSTRUCT",
        "A DICOM object of radiotherapy that holds outlines of organs and targets in millimetres. It is turned into a mask on "
        "the voxels of its images.",
        ("structure set", "RT structure set"),
    ),
    Term(
        "suspect label",
        "A label that a network doubts after learning from other patients only. It is a reason to look again, not an error; "
        "a person decides.",
        ("suspect",),
    ),
    Term(
        "class",
        "One of the answers that the network may give. With two classes one of them counts as disease and is "
        "called positive.",
        ("category",),
    ),
    Term(
        "positive class",
        "The class that counts as disease. Sensitivity speaks of its images, specificity of the others.",
    ),
    Term(
        "data curation",
        "The work of bringing images and labels together and keeping only what is usable. Every image that is "
        "left out leaves a reason behind.",
        ("curation",),
    ),
    Term(
        "near-duplicate",
        "The same image in another encoding, size, brightness or crop. If one copy trains and the other tests, the network "
        "is praised for remembering.",
        ("lookalike",),
    ),
    Term(
        "de-identification",
        "Removing names, dates and numbers that could lead back to a patient. It must reach the header and "
        "whatever is burned into the picture.",
        ("anonymisation", "anonymization"),
    ),
    Term(
        "duplicate",
        "An image that is the same as another, pixel for pixel. If one copy trained and the other tested, the "
        "network would only have to remember.",
    ),
    Term(
        "refused image",
        "An image that was found and could not be used, with a coded reason. It is counted, never dropped in silence.",
        ("refused", "reason code"),
    ),
    Term(
        "modality",
        "The kind of imaging: radiography, CT, MR, ultrasound. A network knows only those it was trained on.",
    ),
    Term(
        "laterality",
        "The side of the body that an image shows. Mirroring an image turns one side into the other.",
        ("side",),
    ),
    Term(
        "site",
        "The hospital or department where an image was made. A network may recognise the site instead of the "
        "disease when the two go together.",
    ),
    Term(
        "pixel spacing",
        "The distance between two pixels in millimetres. It says how large a lesion of so many pixels is in the "
        "patient.",
        ("spacing",),
    ),
    Term(
        "window",
        "The range of grey levels spread from black to white, given by centre and width. A lung window hides what "
        "a bone window shows.",
        ("windowing", "window level"),
    ),
    Term(
        "prevalence",
        "The share of images or patients that have the disease. Predictive values depend on it, sensitivity and "
        "specificity much less.",
    ),
    Term(
        "class imbalance",
        "One class is far more frequent than another. A network can then score well by always naming the frequent one.",
        ("imbalance", "imbalanced classes"),
    ),
    Term(
        "class weights",
        "Factors that let rare classes count more in the cost. Balanced weights make each class count the same in all.",
    ),
    Term(
        "standardised difference",
        "How far two groups differ, measured in standard deviations, so that it does not grow with their size. "
        "Below 0.1 it is usually negligible (Austin 2009).",
        ("standardized difference", "SMD"),
    ),
    Term(
        "shortcut",
        "Something beside the finding that gives the label away: a scanner, a marker in the corner, the position of the "
        "patient. A network that learns it does well here and fails elsewhere.",
        ("shortcut learning", "confounder"),
    ),
    Term(
        "target population",
        "The patients for whom a network is meant. Results hold for them only as far as the cohort is like them.",
    ),
    Term(
        "missing data",
        "What is not known of some patients. If it lacks more often in one class, that alone may tell them apart.",
    ),
    Term(
        "acquisition protocol",
        "How an image was made: scanner, voltage, slice thickness, kernel, field strength, view. A network knows only the "
        "protocols that it was trained on.",
        ("imaging protocol",),
    ),
    # The split
    Term(
        "training part",
        "The images that the network learns from. Its performance on them says little about new patients.",
        ("training set", "training data", "training"),
    ),
    Term(
        "tuning part",
        "Images that the network does not learn from but that choose its best epoch and its threshold. Many "
        "articles call it the validation set.",
        ("validation set", "tuning set", "development set", "tuning"),
    ),
    Term(
        "test part",
        "Images kept under seal until everything is decided. Only they say how the network does on patients it "
        "has never met.",
        ("test set", "hold-out set", "test"),
    ),
    Term(
        "validation",
        "In deep learning, often the part that steers training; in medicine, the proof on new patients. To avoid "
        "the confusion this report speaks of tuning and test.",
    ),
    Term(
        "internal test",
        "A test on patients from the same source as the training patients. It is the easier examination.",
        ("internal validation",),
    ),
    Term(
        "external test",
        "A test on patients from another hospital, time or scanner. It shows whether a network travels.",
        ("external validation", "external test set"),
    ),
    Term(
        "split",
        "The division of the patients into training, tuning and test. It is drawn once, at random, with the same "
        "mix of classes in each part.",
        ("partition", "data split"),
    ),
    Term(
        "leak",
        "Knowledge of the test that slips into training, usually through a patient who stands in both. It makes "
        "results too good to be true.",
        ("data leakage", "leakage"),
    ),
    Term(
        "stratified",
        "Drawn so that each part holds the same mix of classes. Otherwise a rare class may be missing from one "
        "part by bad luck.",
        ("stratification",),
    ),
    Term(
        "sealed test set",
        "A test part that cannot be read before the evaluation. Each opening is written into the record, and one "
        "opening is the honest number.",
        ("seal", "opening"),
    ),
    Term(
        "k-fold cross-validation",
        "The training data are cut into k parts; each in turn checks a network trained on the others. The mean "
        "foretells the performance before the test set is opened.",
        ("cross-validation", "fold"),
    ),
    Term(
        "official split",
        "Parts that the makers of a public data set prescribe. Keeping them makes results comparable with those "
        "of others.",
    ),
    # Augmentation
    Term(
        "augmentation",
        "Random changes of training images that leave the diagnosis as it is. The network sees more variety and "
        "relies less on accidents.",
        ("data augmentation",),
    ),
    Term(
        "flip",
        "Mirroring an image. A horizontal flip puts the heart on the right, which is wrong where sides matter.",
        ("flipping", "mirror", "flip_horizontal", "flip_vertical"),
    ),
    Term(
        "rotation",
        "Turning an image by a small random angle, as a patient may lie askew. The label stays, and the network "
        "learns not to mind.",
        ("rotate", "rotate_degrees"),
    ),
    Term(
        "zoom",
        "Enlarging or shrinking an image a little, as patients differ in size. A change of a tenth either way is "
        "usual.",
        ("scaling",),
    ),
    Term(
        "shift",
        "Moving an image sideways or up and down, so that a lesion stands elsewhere. The network then looks for "
        "the finding instead of the place.",
        ("translation",),
    ),
    Term(
        "skew",
        "Slanting an image, as if seen at an angle. Rectangles become parallelograms.",
        ("shear", "skew_degrees"),
    ),
    Term(
        "blur",
        "Smoothing an image, as a moving patient or a poor lens would. It must stay weaker than the finest sign "
        "that matters.",
        ("blur_pixels", "gaussian blur"),
    ),
    Term(
        "contrast",
        "Stretching or squeezing the grey levels around their mean. Exposure and window vary in practice, so the "
        "network should not mind.",
    ),
    Term(
        "brightness",
        "Making an image lighter or darker as a whole. Exposure varies in practice, so the network should not mind.",
    ),
    Term(
        "resolution",
        "Making an image coarser and bringing it back to its size. Fine detail is lost, as on a poorer machine.",
    ),
    Term(
        "noise",
        "Adding a random grain to each pixel, as a low dose does. It keeps the network from learning the grain by "
        "heart.",
        ("gaussian noise",),
    ),
    Term(
        "random erasing",
        "Covering a random rectangle. The network must then find more than one sign of a disease.",
        ("erase", "cutout"),
    ),
    # The network
    Term(
        "artificial intelligence",
        "Computers doing what seems to need human intelligence. Machine learning is one way to it.",
        ("AI",),
    ),
    Term(
        "machine learning",
        "Programs that find patterns in examples instead of following rules written by hand. Deep learning is one "
        "kind of it.",
        ("ML",),
    ),
    Term(
        "deep learning",
        "Machine learning with many layers, each building on the one before: edges, then shapes, then findings. "
        "The radiologist gives examples and no rules.",
        ("DL",),
    ),
    Term(
        "network",
        "A chain of layers that turns an image into probabilities. Its numbers, the parameters, are found by training.",
        ("neural network", "model"),
    ),
    Term(
        "convolutional neural network",
        "A network whose layers slide small kernels over the image. It finds a pattern wherever it stands and "
        "needs few parameters.",
        ("CNN", "ConvNet"),
    ),
    Term(
        "fully connected network",
        "A network in which every unit is linked with every unit of the next layer. For images it needs far more "
        "parameters than a convolutional one.",
        ("fully_connected", "multilayer perceptron", "MLP"),
    ),
    Term(
        "architecture",
        "The plan of a network: which layers, how many, in which order. ResNet-18 and LeNet-5 are architectures.",
        ("model architecture",),
    ),
    Term(
        "LeNet-5",
        "One of the first convolutional networks, made in 1998 to read handwritten digits (LeCun), with two convolutions and "
        "three fully connected layers. It is small enough to train in a minute.",
        ("lenet5", "LeNet"),
    ),
    Term(
        "AlexNet",
        "The network with which deep learning won the ImageNet contest of 2012 (Krizhevsky): five convolutions, three fully "
        "connected layers. New were ReLU, dropout and training on graphics processors.",
    ),
    Term(
        "ZFNet",
        "AlexNet with smaller kernels and steps at its beginning, from 2013 (Zeiler and Fergus), with eight layers as well. Its "
        "authors looked at the feature maps and saw that the first layer of AlexNet passed over detail.",
        ("ZF Net",),
    ),
    Term(
        "VGG",
        "A network of 2014 with nothing but 3 × 3 kernels, one above the other: 11, 16 or 19 layers (Simonyan and Zisserman). It "
        "showed that depth helps; most of its 138 million parameters stand in the fully connected layers.",
        ("VGG Net", "VGG-11", "VGG-16", "VGG-19", "vgg11", "vgg16", "vgg19"),
    ),
    Term(
        "GoogLeNet",
        "The winner of the ImageNet contest of 2014 (Szegedy), with 22 layers. Each of its Inception modules looks through "
        "kernels of several sizes at once, and it has a twentieth of the parameters of VGG-16.",
        ("Inception v1",),
    ),
    Term(
        "Inception v3",
        "GoogLeNet’s successor of 2015 (Szegedy), 48 layers deep. Its larger kernels are taken apart into smaller ones, such as "
        "1 × 7 after 7 × 1, and batch normalisation follows each.",
        ("inception_v3", "Inception"),
    ),
    Term(
        "ResNet",
        "A network of 2015 whose blocks learn what to add to their input (He). Such shortcuts made it possible to train 18, 34, "
        "50, 101 and more layers.",
        (
            "residual network",
            "ResNet-18",
            "ResNet-34",
            "ResNet-50",
            "ResNet-101",
            "resnet18",
            "resnet34",
            "resnet50",
            "resnet101",
        ),
    ),
    Term(
        "DenseNet",
        "A network of 2016 in which each layer sees the feature maps of all layers before it in its block (Huang), with 121 or "
        "169 layers. Nothing has to be learnt twice, so that it needs few parameters.",
        ("DenseNet-121", "DenseNet-169", "densenet121", "densenet169"),
    ),
    Term(
        "timm",
        "A library with more than a thousand published networks for images (Wightman 2019). Any of them can be named in a plan, "
        "as in timm:convnext_tiny.",
        ("PyTorch Image Models",),
    ),
    Term(
        "slice by slice",
        "A way to look at a volume (2.5-D): one network looks at each slice by itself, and a memory goes through the slices and "
        "gives one answer. It needs fewer volumes than kernels in three dimensions.",
        ("2.5-D", "slice_by_slice"),
    ),
    Term(
        "three-dimensional convolution",
        "Kernels that reach across slices, as 3 × 3 × 3. They see the form of what lies in several slices, and need more "
        "arithmetic and memory for it.",
        ("3-D convolution", "3d"),
    ),
    Term(
        "logistic regression",
        "The weighted sum of all pixels, turned into a probability. It is the baseline that a network should beat.",
        ("logistic",),
    ),
    Term(
        "layer",
        "One step of a network. Its output is the next one’s input.",
    ),
    Term(
        "convolution",
        "Sliding a small grid of numbers over an image and summing the products at each place. It answers the "
        "same question, such as “is here an edge?”, everywhere.",
        ("convolutional layer", "conv"),
    ),
    Term(
        "kernel",
        "The small grid of numbers that a convolution slides over the image. Training finds the numbers.",
        ("filter", "convolution kernel"),
    ),
    Term(
        "kernel size",
        "Height and width of a kernel in pixels, often 3 × 3. Larger kernels see more at once and have more "
        "parameters.",
    ),
    Term(
        "stride",
        "How many pixels a kernel moves at each step. A stride of 2 halves height and width.",
    ),
    Term(
        "padding",
        "A frame of zeros around an image, so that kernels also fit at its border. It keeps height and width as "
        "they were.",
    ),
    Term(
        "feature map",
        "The result of one kernel: bright where its pattern was found. Deeper maps show more complex patterns.",
        ("activation map",),
    ),
    Term(
        "pooling",
        "Keeping one number of a small area, its largest or its mean. Maps become smaller, and small shifts "
        "matter less.",
        ("max pooling", "average pooling", "down-sampling"),
    ),
    Term(
        "fully connected layer",
        "A layer in which each output depends on every input. It usually stands last and weighs the features into "
        "a decision.",
        ("dense layer", "linear layer"),
    ),
    Term(
        "activation function",
        "A bend after each layer, without which many layers would be no more than one. ReLU, the commonest, sets "
        "negative numbers to zero.",
        ("ReLU", "sigmoid", "tanh", "activation"),
    ),
    Term(
        "batch normalisation",
        "Bringing the numbers inside a network to a common scale, batch by batch. Training becomes faster and "
        "steadier.",
        ("batch normalization", "BatchNorm"),
    ),
    Term(
        "dropout",
        "Silencing random features while training, so that the network does not rely on a single one. It is "
        "switched off when the network is used.",
    ),
    Term(
        "receptive field",
        "The part of the image that one point of a layer can see. It grows with depth.",
    ),
    Term(
        "parameter",
        "A number inside the network that training finds: kernels, weights and biases. The layer table of the "
        "report counts them all.",
        ("trainable parameter",),
    ),
    Term(
        "weight",
        "A parameter that multiplies an input. Often used for all parameters, sometimes only for those of fully "
        "connected layers.",
        ("weights",),
    ),
    Term(
        "bias",
        "A parameter that is added after the weights have multiplied. Not to be mistaken for bias in a study.",
        ("biases",),
    ),
    Term(
        "hyperparameter",
        "A setting chosen before training, such as batch size or learning rate. Choosing it on the test part "
        "would be cheating.",
        ("setting", "hyperparameters"),
    ),
    Term(
        "transfer learning",
        "Starting from a network trained on other images, such as photographs. Fewer radiological images are then "
        "needed.",
    ),
    Term(
        "fine-tuning",
        "Letting parameters that were learnt on other images learn on with one’s own, usually at a lower learning rate. How "
        "much of the network does so is a choice of the study.",
        ("unfreeze",),
    ),
    Term(
        "freezing",
        "Keeping some layers exactly as they came while the others learn. A hash before and after proves that they did not "
        "change.",
        ("frozen",),
    ),
    Term(
        "staged thaw",
        "Letting one more stage of a network learn every few epochs, beginning at its end. The early stages, which know "
        "edges and textures, are disturbed least.",
        ("gradual unfreezing", "thaw_epochs"),
    ),
    Term(
        "linear probe",
        "A logistic regression on the features of a network that is left as it is. It tells how much the features know of "
        "the label before anything learns on.",
    ),
    Term(
        "pretrained model",
        "A network whose parameters come from another task. Its first layers already know edges and textures.",
        ("pre-trained model", "pretrained"),
    ),
    Term(
        "feature learning",
        "Kernels are found by training and not designed by hand. This is what sets deep learning apart from older "
        "image processing.",
        ("feature extraction",),
    ),
    Term(
        "tensor",
        "Numbers in a grid of any dimension. An image is one with rows and columns.",
    ),
    Term(
        "softmax",
        "The last step, which turns the network’s scores into probabilities that add up to 1. The largest of them "
        "names the class.",
    ),
    Term(
        "GPU",
        "A processor made for graphics that does many sums at once. It trains a network many times faster.",
        ("graphics processing unit", "device"),
    ),
    Term(
        "deep learning framework",
        "A library that builds and trains networks, such as PyTorch or TensorFlow. The report names the one that "
        "was used, with its version.",
        ("framework", "PyTorch", "TensorFlow", "Keras"),
    ),
    Term(
        "programming language",
        "Words and grammar in which a computer is told what to do. Most deep learning is written in Python.",
        ("Python",),
    ),
    Term(
        "TIOBE index",
        "A monthly list of how popular programming languages are. Popularity says nothing about the quality of a "
        "study.",
    ),
    # Training
    Term(
        "epoch",
        "One pass through the whole training part. Training takes many.",
    ),
    Term(
        "batch",
        "The images that the network sees before it corrects itself once. Their number is the batch size.",
        ("mini-batch", "batch size", "batch_size"),
    ),
    Term(
        "iteration",
        "One correction of the parameters, after one batch. An epoch has as many as there are batches.",
        ("step",),
    ),
    Term(
        "cost",
        "How far the predictions are from the ground truth, as one number. Training makes it small.",
        ("loss", "cost function", "loss function"),
    ),
    Term(
        "cross entropy",
        "The cost used for classes: small when the true class gets a high probability, large when the network is "
        "confidently wrong. Being unsure costs a little, being sure and wrong costs much.",
        ("log loss", "cross_entropy"),
    ),
    Term(
        "label smoothing",
        "Asking for a little less than certainty, so that the network does not become overconfident. A twentieth "
        "or a tenth is usual.",
    ),
    Term(
        "forward propagation",
        "Sending an image through the network to get a prediction. That is all a finished network does.",
        ("forward pass",),
    ),
    Term(
        "back propagation",
        "Going back through the network to find out how each parameter contributed to the cost. The result is the "
        "gradient.",
        ("backward pass", "backpropagation"),
    ),
    Term(
        "gradient",
        "For each parameter, how the cost changes if it grows a little. It points uphill, so training goes the "
        "other way.",
    ),
    Term(
        "gradient descent",
        "Changing each parameter a little against its gradient, again and again, until the cost no longer falls. "
        "It is how nearly all networks learn.",
    ),
    Term(
        "batch gradient descent",
        "One step after all training images have been seen. It is exact and slow.",
    ),
    Term(
        "mini-batch gradient descent",
        "One step after each small batch of images. It is the usual compromise between speed and steadiness.",
    ),
    Term(
        "learning rate",
        "The size of each step against the gradient. Too small is slow, too large never settles.",
        ("learning_rate",),
    ),
    Term(
        "schedule",
        "How the learning rate changes during training: often down along half a cosine. Large steps come first, "
        "fine ones at the end.",
        ("cosine schedule", "warmup"),
    ),
    Term(
        "optimizer",
        "The recipe by which gradients become steps: SGD, momentum, Adam. None is best for every task.",
        ("optimiser",),
    ),
    Term(
        "SGD",
        "Stochastic gradient descent: a step after each image or batch, not after all of them. The steps are "
        "rougher and far more frequent.",
        ("stochastic gradient descent",),
    ),
    Term(
        "momentum",
        "Part of the last step lives on, as in a rolling ball. It smooths the way.",
        ("SGD with momentum",),
    ),
    Term(
        "Nesterov accelerated gradient",
        "Momentum that looks ahead: the gradient is taken where the last step would lead. It overshoots less.",
        ("Nesterov",),
    ),
    Term(
        "Adam",
        "An optimizer with its own step size for each parameter (Kingma and Ba 2015). It usually works without "
        "much trial.",
        ("adaptive moment estimation",),
    ),
    Term(
        "Adagrad",
        "An optimizer that takes smaller steps for parameters that have moved much (Duchi 2011). Its steps shrink "
        "for ever.",
    ),
    Term(
        "Adadelta",
        "Adagrad that forgets the distant past (Zeiler 2012). Its steps no longer shrink to nothing.",
        ("Adadelat",),
    ),
    Term(
        "AdaMax",
        "Adam with the largest recent gradient in place of a mean (Kingma and Ba 2015). It minds outliers less.",
    ),
    Term(
        "weight decay",
        "A steady pull of the weights towards zero, which keeps the network simple. A simple network overfits less.",
        ("weight_decay",),
    ),
    Term(
        "overfitting",
        "The network learns its training images by heart and does worse on others. It shows as a tuning cost that "
        "rises while the training cost falls.",
    ),
    Term(
        "generalisation",
        "Doing as well on new patients as on those of the training. Only a test on patients never met can show it.",
        ("generalization", "generalizability", "generalizable"),
    ),
    Term(
        "robust",
        "Keeping the answer when the image changes in ways that do not matter, such as noise or contrast. "
        "Augmentation helps.",
        ("robustness",),
    ),
    Term(
        "early stopping",
        "Ending training when the tuning part no longer gains. It saves time and prevents overfitting.",
        ("patience",),
    ),
    Term(
        "best epoch",
        "The epoch whose parameters are kept, because the tuning part did best after it. If it is the last one, "
        "training may have ended too early.",
    ),
    Term(
        "checkpoint",
        "A saved state of training from which it can go on after a power cut, as if nothing had happened. Its "
        "file carries a fingerprint that is checked before it is used.",
    ),
    Term(
        "ensemble",
        "Several networks whose answers are averaged. They rarely make the same mistake.",
    ),
    Term(
        "member",
        "One network of an ensemble, trained from its own random beginning. All members see the same training "
        "patients.",
    ),
    Term(
        "seed",
        "The number from which all randomness follows. The same seed gives the same study.",
        ("random seed",),
    ),
    # Results
    Term(
        "threshold",
        "The probability from which an image counts as positive. Lowering it finds more disease and raises more "
        "false alarms.",
        ("cut-off", "decision threshold"),
    ),
    Term(
        "operating point",
        "Sensitivity and specificity at the chosen threshold: one point of the ROC curve. Another threshold gives "
        "another point of the same curve.",
    ),
    Term(
        "Youden’s index",
        "Sensitivity + specificity − 1. The threshold at which it is largest weighs both errors the same.",
        ("Youden", "Youden's index", "youden index"),
    ),
    Term(
        "ROC curve",
        "Sensitivity against false alarms at every threshold. The nearer it bends to the upper left, the better; "
        "the diagonal is chance.",
        ("ROC", "receiver operating characteristic"),
    ),
    Term(
        "no-information rate",
        "The share that is right when the commonest class is named every time. An accuracy below it is worth nothing.",
    ),
    Term(
        "calibration slope",
        "1 when high probabilities are as high as they should be. Below 1 the network is too sure of itself.",
    ),
    Term(
        "calibration intercept",
        "0 when the probabilities are right on average. Below 0 they are too high.",
        ("calibration in the large",),
    ),
    Term(
        "predictive value at a declared prevalence",
        "What a positive or negative answer would be worth where the disease is as frequent as the plan declares. "
        "It is worked out from sensitivity and specificity.",
        ("positive predictive value at declared prevalence", "negative predictive value at declared prevalence"),
    ),
    Term(
        "AUC",
        "The chance that an image with the disease gets a higher probability than one without. 0.5 is a coin, 1 "
        "is perfect.",
        ("area under the curve", "area under the ROC curve", "AUROC"),
    ),
    Term(
        "macro-average AUC",
        "The mean of the AUCs of all classes, each against the rest. A rare class counts as much as a frequent one.",
        ("macro AUC", "macro average"),
    ),
    Term(
        "average precision",
        "The area under the curve of positive predictive value against sensitivity. Unlike the AUC it depends on "
        "how frequent the disease is.",
        ("precision–recall curve", "AUPRC"),
    ),
    Term(
        "sensitivity",
        "Of those with the disease, the share that is found. The rest is missed.",
        ("recall", "true-positive rate", "TPR"),
    ),
    Term(
        "specificity",
        "Of those without the disease, the share that is cleared. The rest is a false alarm.",
        ("true-negative rate", "TNR"),
    ),
    Term(
        "false positive",
        "An image without the disease that the network calls positive: a false alarm. Specificity counts how "
        "often it does not happen.",
        ("FP",),
    ),
    Term(
        "false negative",
        "An image with the disease that the network calls negative: a miss. Sensitivity counts how often it does "
        "not happen.",
        ("FN",),
    ),
    Term(
        "true positive",
        "An image with the disease that the network finds. Sensitivity is their share of all images with the disease.",
        ("TP",),
    ),
    Term(
        "true negative",
        "An image without the disease that the network clears. Specificity is their share of all images without "
        "the disease.",
        ("TN",),
    ),
    Term(
        "false-positive rate",
        "Of those without the disease, the share called positive: 1 − specificity. It is the horizontal axis of "
        "the ROC curve.",
        ("FPR",),
    ),
    Term(
        "false-negative rate",
        "Of those with the disease, the share missed: 1 − sensitivity. These patients would be sent home.",
        ("FNR",),
    ),
    Term(
        "PPV",
        "Of those called positive, the share that has the disease. It falls as the disease gets rarer.",
        ("positive predictive value", "precision"),
    ),
    Term(
        "NPV",
        "Of those called negative, the share that is free of the disease. It rises as the disease gets rarer.",
        ("negative predictive value",),
    ),
    Term(
        "accuracy",
        "The share of all answers that is right. With a rare disease it is high even for a network that finds nothing.",
    ),
    Term(
        "balanced accuracy",
        "The mean of the shares found in each class. A rare class counts as much as a frequent one.",
    ),
    Term(
        "F1 score",
        "One number for sensitivity and positive predictive value, their harmonic mean. For masks it is called Dice.",
        ("F1",),
    ),
    Term(
        "Dice",
        "How far two masks overlap: twice what they share, divided by the sum of both (Dice 1945). 1 is the same mask, 0 means "
        "that they do not touch; with the Jaccard index J it is 2J / (1 + J).",
        ("Dice score", "Dice coefficient", "Sørensen-Dice coefficient", "DSC"),
    ),
    Term(
        "Jaccard index",
        "The overlap of two masks divided by their union (Jaccard 1912). 1 means that they are the same, 0 that they do not "
        "touch; it says the same as Dice D, in other numbers: D / (2 − D).",
        ("IoU", "intersection over union", "Jaccard"),
    ),
    Term(
        "Hausdorff distance",
        "How far the outline of one mask strays from that of the other at the worst place (Hausdorff 1914). One stray pixel "
        "decides it, which is why HD95 is preferred.",
        ("Hausdorff",),
    ),
    Term(
        "HD95",
        "The distance within which 95 % of each outline lies from the other; the worse of both directions counts. Unlike the "
        "Hausdorff distance it forgives a few stray pixels.",
        ("95th percentile of the Hausdorff distance", "robust Hausdorff distance"),
    ),
    Term(
        "ASSD",
        "The average symmetric surface distance: how far the outlines of two masks lie apart on the mean, in millimetres. 0 is "
        "the same outline.",
        ("average symmetric surface distance", "average surface distance"),
    ),
    Term(
        "surface Dice",
        "The share of both outlines that lies within a tolerance of the other (Nikolov 2018). It asks how much would have to "
        "be redrawn, and does not favour large structures as Dice does.",
        ("normalised surface Dice", "NSD", "normalised surface distance"),
    ),
    Term(
        "voxel",
        "A pixel of a volume: the smallest box of which a value is known. Its size in millimetres is the spacing.",
        ("voxels",),
    ),
    Term(
        "sensitivity of voxels",
        "Of the pixels or voxels of a structure, the share that was marked. It says how much of the structure was found, not in "
        "how many patients.",
    ),
    Term(
        "precision of voxels",
        "Of the pixels or voxels that were marked, the share that belongs to the structure. The rest is too much.",
    ),
    Term(
        "volume difference",
        "The predicted volume minus the true one; above 0 the network draws too much. The mean says whether it errs to one "
        "side, the absolute difference how much it errs.",
        ("area difference",),
    ),
    Term(
        "likelihood ratio",
        "How much a positive (or negative) answer raises (or lowers) the odds of disease. Above 10 or below 0.1 "
        "it changes the mind.",
        ("positive likelihood ratio", "negative likelihood ratio", "LR+", "LR-"),
    ),
    Term(
        "kappa",
        "Agreement beyond chance: 0 is chance, 1 is perfect (Cohen 1960). It is lower where one class is rare, "
        "even if readers agree as often.",
        ("Cohen’s kappa", "cohen kappa", "Cohen's kappa"),
    ),
    Term(
        "weighted kappa",
        "Kappa for grades in an order: readers one grade apart agree partly, those at opposite ends not at all (Cohen 1968). "
        "Quadratic weights forgive small steps more than linear ones.",
        ("quadratic weighted Cohen's kappa", "linear weighted Cohen's kappa"),
    ),
    Term(
        "Fleiss' kappa",
        "Kappa for any number of readers, who need not be the same for each image (Fleiss 1971). It knows no order of "
        "grades.",
        ("Fleiss kappa", "Fleiss’ kappa"),
    ),
    Term(
        "Krippendorff's alpha",
        "Agreement beyond chance for any number of readers and any scale, gaps allowed: 1 is perfect, 0 is chance. Below "
        "0.667 its author would draw no conclusion from the labels.",
        ("alpha", "Krippendorff’s alpha", "Krippendorff alpha"),
    ),
    Term(
        "Gwet's AC1",
        "Agreement beyond chance that stays high where a finding is rare and readers nearly always agree (Gwet 2008). There "
        "kappa falls for no fault of the readers.",
        ("AC1", "Gwet’s AC1"),
    ),
    Term(
        "Gwet's AC2",
        "AC1 for grades in an order: readers one grade apart agree partly. It is the companion of weighted kappa.",
        ("AC2", "quadratic weighted Gwet's AC2"),
    ),
    Term(
        "observed agreement",
        "The share of images on which two readers say the same. Where a finding is rare it is high by chance alone.",
        ("percent agreement",),
    ),
    Term(
        "specific agreement",
        "If one reader calls an image positive, how likely the other does too; the same for negative. The two tell apart "
        "what a single agreement hides when a finding is rare.",
        ("positive agreement", "negative agreement"),
    ),
    Term(
        "prevalence index",
        "The share of images that both readers call positive minus that which both call negative. Far from 0, kappa is low "
        "however well readers agree.",
    ),
    Term(
        "ICC",
        "The intraclass correlation: how much of the spread of measurements is that of the patients and not of the readers. "
        "It comes in six forms, so that one without its form says little.",
        ("intraclass correlation", "intraclass correlation coefficient", "ICC(2,1)"),
    ),
    Term(
        "Bland–Altman analysis",
        "How far two measurements of the same thing lie apart, in millimetres or whatever they are in. It gives a bias, and "
        "limits within which most differences lie.",
        ("Bland-Altman", "Bland–Altman"),
    ),
    Term(
        "limits of agreement",
        "The range that holds about 95 % of the differences between two readers: bias ± 1.96 standard deviations. Whether it "
        "is narrow enough is a clinical question, not one of statistics.",
        ("lower limit of agreement", "upper limit of agreement"),
    ),
    Term(
        "Matthews correlation coefficient",
        "The correlation between truth and answer; 0 is chance, 1 is perfect. It does not flatter a network that "
        "always names the frequent class.",
        ("MCC",),
    ),
    Term(
        "Brier score",
        "The mean squared distance between probability and truth. Lower is better, and it punishes overconfidence.",
        ("Brier",),
    ),
    Term(
        "calibration",
        "Whether probabilities mean what they say: of images given 80 %, eight in ten should have the disease. A "
        "network may tell the classes apart well and still be badly calibrated.",
        ("calibrated",),
    ),
    Term(
        "confusion matrix",
        "A table of truth against answer. The right answers stand on its diagonal.",
    ),
    Term(
        "confidence interval",
        "The range in which the truth plausibly lies, given how few patients were tested. A 95 % interval misses "
        "it in one study of twenty.",
        ("CI", "interval"),
    ),
    Term(
        "Wilson interval",
        "A confidence interval for a share that stays between 0 and 100 % and behaves well for small numbers "
        "(Wilson 1927). It is the usual choice for sensitivity and specificity.",
        ("Wilson",),
    ),
    Term(
        "DeLong interval",
        "A confidence interval for the AUC without assumptions on the probabilities (DeLong 1988). It is the "
        "usual choice for a ROC curve.",
        ("DeLong",),
    ),
    Term(
        "bootstrap",
        "Drawing the patients anew, with replacement, hundreds of times, to see how much a number varies. The "
        "middle 95 % of the results make the confidence interval.",
    ),
    Term(
        "unit of analysis",
        "What is counted: images or patients. Ten images of one patient are not ten patients.",
        ("unit",),
    ),
    Term(
        "clustered",
        "Images of one patient resemble each other; a clustered interval allows for it and is wider. Without it, "
        "many images of few patients would look like much evidence.",
        ("cluster", "clustering"),
    ),
    Term(
        "design effect",
        "How many times more images are needed because they come from fewer patients. 1 means that it makes no "
        "difference.",
    ),
    Term(
        "percentile",
        "The value below which so many in a hundred lie. Half of all lie below the median.",
        ("median", "quartile"),
    ),
    Term(
        "exploratory",
        "A result that was looked at more than once while choices were still open. It raises a question and "
        "answers none.",
    ),
    # Explanation
    Term(
        "saliency map",
        "A map of the pixels that moved the answer most. It shows where the network looked, not why.",
        ("saliency", "heat map", "heatmap"),
    ),
    Term(
        "Grad-CAM",
        "A saliency map made from the last feature maps, weighed by how much they matter for the class (Selvaraju "
        "2017). It is coarse, since the last maps are small.",
    ),
    Term(
        "sanity check",
        "Repeating a saliency map with random parameters. A map that stays the same explains nothing (Adebayo 2018).",
        ("randomisation test",),
    ),
    # Trust
    Term(
        "record",
        "The log of the study: each stage, its settings, its files and its time. It can be added to, not altered "
        "unseen.",
    ),
    Term(
        "hash",
        "A fingerprint of a file: one changed bit gives another one. Two files with the same hash are the same file.",
        ("SHA-256", "checksum"),
    ),
    Term(
        "hash chain",
        "Each entry of the record carries the fingerprint of the one before. The last one therefore vouches for all.",
        ("record head code", "head code"),
    ),
    Term(
        "certificate",
        "The proof that no patient and no image stands in two parts, with the fingerprint of the split. Training "
        "refuses a split that fails it.",
    ),
    Term(
        "reproducible",
        "The same data, settings and seed give the same numbers, on the same kind of machine bit for bit. On "
        "another kind of machine the last digits may differ.",
        ("reproducibility",),
    ),
    # Other networks of the article
    Term(
        "recurrent neural network",
        "A network for sequences, such as sentences of a radiology report. It carries a memory from one word to "
        "the next, and has nothing to do with R-CNN.",
        ("RNN",),
    ),
    Term(
        "LSTM",
        "Long short-term memory (Hochreiter and Schmidhuber 1997): a recurrent layer with gates that decide what to keep, "
        "what to forget and what to give out. It remembers a “no” until the finding comes, many words later.",
        ("long short-term memory",),
    ),
    Term(
        "GRU",
        "Gated recurrent unit (Cho 2014): a recurrent layer with two gates in the place of the LSTM's three. It has a quarter "
        "fewer parameters and often does as well.",
        ("gated recurrent unit", "gated recurrent units"),
    ),
    Term(
        "word embedding",
        "A few dozen numbers that stand for a word. Training moves words that mean much the same close together.",
        ("embedding", "word vector", "word vectors"),
    ),
    Term(
        "attention",
        "What a network learns to lay upon each word of a report; the parts sum to 1. It shows where the network looked and "
        "need not be the reason for its answer.",
    ),
    Term(
        "vocabulary",
        "The words that a network knows, learnt from the training part alone. All other words are the same unknown word to it.",
    ),
    Term(
        "generative adversarial network",
        "Two networks in contest: one makes images, the other tells them from real ones. In the end the made "
        "images look real, which does not make them true.",
        ("GAN",),
    ),
    Term(
        "ImageNet",
        "A collection of more than a million photographs; the yearly contest on it made deep learning famous. "
        "Networks trained on it are a common starting point in radiology.",
        ("ILSVRC",),
    ),
    Term(
        "U-Net",
        "A network that outlines structures pixel by pixel (Ronneberger 2015). It is the usual choice for "
        "outlining organs and lesions.",
        ("segmentation network",),
    ),
    Term(
        "Mask R-CNN",
        "A network that finds objects, frames them and outlines each one (He 2017). The R stands for regions.",
        ("R-CNN",),
    ),
    Term(
        "consensus",
        "One label made of what several readers said, by a rule that was fixed beforehand: the majority, any positive vote, "
        "all of them, or a model of their errors. Another rule can give other results, so the report shows them.",
        ("consensus rule", "fusion of labels"),
    ),
    Term(
        "majority vote",
        "The label that most readers gave. With an even number of readers votes can be even; then somebody has to decide.",
    ),
    Term(
        "tie",
        "As many readers, or as much weight, for one answer as for another. Lucency gives such an image no label until somebody "
        "decides, unless the plan says otherwise.",
        ("even votes",),
    ),
    Term(
        "Dawid–Skene",
        "A way to weigh readers by how often each errs, estimated from their agreement alone (Dawid and Skene 1979). It needs "
        "three readers at least.",
        ("Dawid-Skene", "dawid_skene"),
    ),
    Term(
        "STAPLE",
        "One mask made of several readers' masks, each weighed by how well it agrees with the others (Warfield 2004). It also "
        "tells the sensitivity and specificity of each reader.",
    ),
    Term(
        "adjudication",
        "A decision by a further, usually more experienced reader on images on which the others disagree. It should be made "
        "without knowing what the network says.",
    ),
    Term(
        "soft label",
        "A probability in the place of one class, for images on which readers disagree or are not sure. The network then "
        "learns the doubt too; it is still judged by one class.",
        ("soft labels",),
    ),
    Term(
        "mean squared error",
        "The cost used for numbers such as bone age: the mean of the squared errors. Large errors weigh more than "
        "small ones.",
        ("MSE",),
    ),
    Term(
        "FROC curve",
        "The share of lesions that are found against the false alarms an image that this costs, at every threshold. Unlike the "
        "ROC curve it asks where in the image the network looked.",
        ("FROC", "free-response ROC"),
    ),
    Term(
        "FROC score",
        "The mean share of lesions found at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives an image. One number for a whole FROC "
        "curve, as the LUNA16 challenge used it.",
        ("competition performance metric",),
    ),
    Term(
        "AFROC curve",
        "The share of lesions found against the share of healthy images with any false alarm. The area below is the probability "
        "that a lesion gets a higher score than the worst false alarm of a healthy image.",
        ("AFROC", "AFROC area", "JAFROC"),
    ),
    Term(
        "weighted AFROC area",
        "The area below the AFROC curve when every image with lesions counts the same, however many it has (wAFROC). AFROC1 also "
        "counts the false alarms of images with lesions.",
        ("weighted AFROC1 area", "wAFROC", "wAFROC1", "AFROC1"),
    ),
    Term(
        "average precision at IoU 0.5",
        "How pure the marks stay while more and more lesions are found, between 0 and 1; a mark is right when it and the lesion "
        "share half of what they cover together. At IoU 0.5 to 0.95 the mean over ten stricter and stricter demands is taken.",
        ("average precision at IoU 0.5 to 0.95", "average precision at IoU 0.5, all points", "mAP"),
    ),
    Term(
        "lesion-wise sensitivity",
        "The share of lesions that are found, each counted by itself. A patient with three lesions counts three times.",
        ("lesion sensitivity",),
    ),
    Term(
        "false positives per image",
        "How often, on average, the network marks something in an image that is no lesion. It is not a share and can be above 1.",
        ("false alarms per image",),
    ),
    Term(
        "image-level AUC",
        "The AUC when each image is judged by its highest mark: how well images with a lesion are told from images without. It "
        "does not ask where the mark lies.",
        ("image-level sensitivity", "image-level specificity"),
    ),
    Term(
        "mask Dice of hits",
        "How well the outlines of marks that hit agree with the drawn ones, on average. Lesions that were missed have no outline "
        "and do not count, so it says nothing of how many were found.",
    ),
    Term(
        "anchor",
        "One of many boxes laid over the image before anything is looked for, in several sizes and shapes. The network only "
        "learns which of them lie on a lesion, and how to move them.",
        ("anchors", "anchor box"),
    ),
    Term(
        "region proposal",
        "A box that may hold a lesion, found at first glance. A second part of the network looks at the best of them more "
        "closely.",
        ("region proposals", "proposal"),
    ),
    Term(
        "feature pyramid",
        "Maps of features from fine to coarse, joined so that each level sees both detail and surroundings. Small lesions are "
        "looked for on the fine ones, large lesions on the coarse ones.",
        ("FPN", "feature pyramid network"),
    ),
    Term(
        "instance segmentation",
        "Outlining every lesion by itself, so that two that touch stay two. Semantic segmentation only says which pixels belong "
        "to any lesion.",
    ),
    Term(
        "regression",
        "Predicting a number (an area, a volume, an age) instead of a class. There is no threshold, and no answer is simply "
        "right or wrong: what counts is how far it is off.",
    ),
    Term(
        "mean absolute error",
        "How far a prediction is off on average, whatever the direction, in the unit of what is measured. It says little "
        "without the error of a simple answer, such as the mean, beside it.",
        ("MAE", "difference of mean absolute errors", "reduction of the mean absolute error"),
    ),
    Term(
        "root mean squared error",
        "The root of the mean of the squared errors, in the unit of what is measured. A few large errors raise it far above "
        "the mean absolute error.",
        ("RMSE",),
    ),
    Term(
        "median absolute error",
        "The error that half of the images stay below. A few large errors do not move it, which is its strength and its "
        "weakness.",
    ),
    Term(
        "Huber cost",
        "A cost for numbers that squares small errors and takes large ones as they are (Huber 1964). A few wrong labels then do "
        "not rule the training.",
        ("huber",),
    ),
    Term(
        "coefficient of determination",
        "R²: the share of the spread of the truth that the predictions explain. 1 is perfect, 0 is no better than saying the "
        "mean, and below 0 is worse.",
        ("R²", "R2", "explained variance"),
    ),
    Term(
        "Pearson correlation",
        "How nearly the points of two measurements lie on a straight line, from −1 to 1. It is 1 even where one measures twice "
        "as much as the other, so it does not show agreement.",
    ),
    Term(
        "Spearman correlation",
        "How nearly two measurements put images into the same order, from −1 to 1. Their numbers do not matter, only which is "
        "larger.",
        ("rank correlation",),
    ),
    Term(
        "concordance correlation",
        "How nearly two measurements are equal (Lin 1989): a correlation that a shift or another scale lowers. 1 says that all "
        "points lie on the line of identity.",
        ("concordance correlation coefficient", "CCC"),
    ),
    Term(
        "calibration of the mean",
        "Whether a prediction means what it says: of images predicted at 20 mm, the truth should be 20 mm on average. Its slope "
        "is ideally 1 and its intercept 0.",
    ),
    Term(
        "bias of measurements",
        "The mean difference between two ways to measure: by how much one is too high on the whole. Single measurements may be "
        "far off all the same.",
    ),
    Term(
        "proportional bias",
        "A difference between two ways to measure that grows or shrinks with the size. Networks often keep to the middle: large "
        "values come out too small and small ones too large.",
    ),
    Term(
        "tolerance",
        "How far a measurement may be off and still serve, as the plan states it. What is tolerable is a clinical question.",
        ("share within the tolerance",),
    ),
    # Synthetic images
    Term(
        "synthetic image",
        "An image that a network made and no machine took. It shows no patient, and what is rare or subtle in patients may be "
        "missing or wrong in it.",
        ("synthetic images", "synthesis"),
    ),
    Term(
        "generator",
        "The network of a pair that makes images, from numbers drawn at random. It learns from the discriminator's judgement "
        "alone and never sees a real image itself.",
    ),
    Term(
        "discriminator",
        "The network of a pair that tells real images from synthetic ones. As it gets better, the generator has to make more "
        "lifelike images.",
        ("critic",),
    ),
    Term(
        "DCGAN",
        "A generator and a discriminator made of convolutions (Radford 2016). It was the form in which such pairs first gave "
        "sharp images.",
    ),
    Term(
        "WGAN-GP",
        "A pair of networks whose discriminator, called critic, measures how far synthetic images are from real ones; a penalty "
        "keeps its gradient near 1 (Gulrajani 2017). Steadier than others, and slower.",
        ("WGAN", "wgan_gp"),
    ),
    Term(
        "noise vector",
        "The random numbers from which a generator makes one image. The same numbers make the same image, and neighbours make "
        "images that are alike.",
        ("latent vector", "latent space"),
    ),
    Term(
        "KID",
        "Kernel inception distance: how far two sets of images are apart as a network sees them (Bińkowski 2018); 0 means no "
        "difference. Here the study's own classifier looks, so that values of two studies cannot be compared.",
        ("kernel inception distance", "KID of training images", "KID above the floor"),
    ),
    Term(
        "mode collapse",
        "A generator that makes few kinds of images again and again. Each may look well, but they no longer stand for all "
        "patients.",
        ("collapse",),
    ),
    Term(
        "coverage",
        "The share of real images that have a synthetic one among their nearest neighbours (Naeem 2020). It is small where a "
        "generator leaves out whole kinds of images.",
        ("coverage by training images",),
    ),
    Term(
        "pairs too alike",
        "The share of synthetic images that have a twin, nearer than real images of two patients usually are. It is large when "
        "a generator repeats itself.",
    ),
    Term(
        "memorisation",
        "A network that keeps images it learnt from and gives them back. A synthetic image that copies a patient's image is not "
        "anonymous.",
        ("copying", "suspected copies", "nearer than unseen images"),
    ),
    Term(
        "ratio of nearest images",
        "How many times as often the real image nearest to a synthetic one was learnt from as it was not. 1 means that nothing "
        "was learnt by heart, as far as this can tell.",
    ),
    Term(
        "told apart by the nearest neighbour",
        "How often the most similar other image tells whether an image is real (two-sample test; Lopez-Paz and Oquab 2017). "
        "50 % is chance: nobody could tell.",
        ("two-sample test",),
    ),
    Term(
        "ablation",
        "An experiment that leaves one thing out, or adds it, and keeps all else as it was. What changes then comes from that "
        "one thing.",
    ),
)

GLOSSARY: dict[str, Term] = {term.name: term for term in _TERMS}
"""Name → entry."""

_BY_WORD: dict[str, Term] = {
    **{word.lower(): term for term in _TERMS for word in term.synonyms},
    **{term.name.lower(): term for term in _TERMS},
}
