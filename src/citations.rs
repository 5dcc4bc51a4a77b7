//! One constant per paper or standard: key, text, DOI.

/// A source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Citation {
    /// Short key.
    pub key: &'static str,
    /// Authors, title, where.
    pub text: &'static str,
    /// DOI, where there is one.
    pub doi: Option<&'static str>,
}

macro_rules! citation {
    ($name:ident, $key:literal, $text:literal, $doi:expr) => {
        #[doc = $text]
        pub const $name: Citation = Citation { key: $key, text: $text, doi: $doi };
    };
}

citation!(
    LINDEBERG_1994,
    "lindeberg1994",
    "Lindeberg T. Scale-space theory in computer vision. Kluwer 1994",
    Some("10.1007/978-1-4757-6465-9")
);
citation!(
    BIGUN_1987,
    "bigun1987",
    "Bigün J, Granlund G. Optimal orientation detection of linear symmetry. ICCV 1987",
    None
);
citation!(
    IBSI_2020,
    "ibsi2020",
    "Zwanenburg A et al. The Image Biomarker Standardization Initiative. Radiology 295:328, 2020",
    Some("10.1148/radiol.2020191145")
);
citation!(
    FLAMENT_2015,
    "flament2015",
    "Flament F et al. Facial skin pores: a multiethnic study. Clin Cosmet Investig Dermatol 8:85, 2015",
    Some("10.2147/CCID.S74401")
);
citation!(
    TURIN_1960,
    "turin1960",
    "Turin GL. An introduction to matched filters. IRE Trans Inf Theory 6(3):311, 1960",
    Some("10.1109/TIT.1960.1057571")
);
citation!(
    SEBER_1982,
    "seber1982",
    "Seber GAF. The estimation of animal abundance, 2nd edition. Griffin 1982 (capture and recapture, Petersen 1896)",
    None
);
citation!(
    TSUMURA_2003,
    "tsumura2003",
    "Tsumura N, Ojima N, Sato K, et al. Image-based skin color and texture analysis/synthesis by extracting hemoglobin and melanin information in the skin. ACM Trans Graph 22(3):770, 2003",
    Some("10.1145/882262.882344")
);
citation!(
    FREEMAN_1991,
    "freeman1991",
    "Freeman WT, Adelson EH. The design and use of steerable filters. IEEE TPAMI 13(9), 1991",
    Some("10.1109/34.93808")
);
citation!(CIE_15, "cie15", "CIE 15:2018 Colorimetry, 4th edition", Some("10.25039/TR.015.2018"));
citation!(
    CHARDON_1991,
    "chardon1991",
    "Chardon A, Cretois I, Hourseau C. Skin colour typology and suntanning pathways. Int J Cosmet Sci 13:191, 1991",
    Some("10.1111/j.1467-2494.1991.tb00561.x")
);
citation!(
    SHARMA_2005,
    "sharma2005",
    "Sharma G, Wu W, Dalal EN. The CIEDE2000 color-difference formula. Color Res Appl 30:21, 2005",
    Some("10.1002/col.20070")
);
citation!(
    BENJAMINI_1995,
    "benjamini1995",
    "Benjamini Y, Hochberg Y. Controlling the false discovery rate. J R Stat Soc B 57:289, 1995",
    Some("10.1111/j.2517-6161.1995.tb02031.x")
);
citation!(
    EFRON_1993,
    "efron1993",
    "Efron B, Tibshirani RJ. An introduction to the bootstrap. Chapman & Hall 1993",
    Some("10.1007/978-1-4899-4541-9")
);
citation!(
    LOWE_2004,
    "lowe2004",
    "Lowe DG. Distinctive image features from scale-invariant keypoints. IJCV 60:91, 2004",
    Some("10.1023/B:VISI.0000029664.99615.94")
);
citation!(
    LUCAS_1981,
    "lucas1981",
    "Lucas BD, Kanade T. An iterative image registration technique. IJCAI 1981",
    None
);
citation!(
    VERCAUTEREN_2009,
    "vercauteren2009",
    "Vercauteren T et al. Diffeomorphic demons: efficient non-parametric image registration. NeuroImage 45:S61, 2009",
    Some("10.1016/j.neuroimage.2008.10.040")
);
citation!(
    WU_1986,
    "wu1986",
    "Wu CFJ. Jackknife, bootstrap and other resampling methods in regression analysis. Ann Stat 14:1261, 1986",
    Some("10.1214/aos/1176350142")
);
citation!(
    UNSER_1999,
    "unser1999",
    "Unser M. Splines: a perfect fit for signal and image processing. IEEE Signal Process Mag 16:22, 1999",
    Some("10.1109/79.799930")
);

impl std::fmt::Display for Citation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.doi {
            Some(doi) => write!(f, "{}. doi:{doi}", self.text),
            None => write!(f, "{}", self.text),
        }
    }
}
