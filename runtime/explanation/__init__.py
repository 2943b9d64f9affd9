"""Why a zone got its score: maps over the radiograph, by two methods.

``evidence``
    The class logits of every zone before their spatial mean, laid back onto the image: what the
    network itself adds up. It costs no second pass through the network.
``occlusion``
    Super-pixels inside the lungs are blanked one at a time, and the drop of the predicted
    score's probability is the super-pixel's weight, as the paper does it (Signoroni et al., Medical
    Image Analysis 71 (2021) 102046). One pass for each super-pixel.
"""
