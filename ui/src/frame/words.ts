import { words } from '../core/i18n';

export const t = words({
  title: ['{view} · LLM traffic', '{view} · Trafic LLM', '{view} · LLM 流量'],
  skip: ['Skip to the content', 'Aller au contenu', '跳到内容'],
  views: ['Views', 'Vues', '视图'],
  log: ['Log', 'Journal', '日志'],
  live: ['Live', 'En cours', '实时'],
  statistics: ['Statistics', 'Statistiques', '统计'],
  ranking: ['Ranking', 'Classement', '排行'],
  sessions: ['Sessions', 'Sessions', '会话'],
  availability: ['Availability', 'Disponibilité', '可用性'],

  search: ['Search the log', 'Chercher dans le journal', '搜索日志'],
  'search.hint': [
    'URL, model, status, account, user, session…',
    'URL, modèle, statut, compte, utilisateur, session…',
    'URL、模型、状态、账号、用户、会话…',
  ],

  range: ['Time range', 'Période', '时间范围'],
  'range.': ['All time', 'Tout', '全部时间'],
  'range.auto': ['Automatic', 'Automatique', '自动'],
  'range.-15m': ['Last 15 min', '15 dernières min', '最近 15 分钟'],
  'range.-1h': ['Last hour', 'Dernière heure', '最近 1 小时'],
  'range.-6h': ['Last 6 h', '6 dernières h', '最近 6 小时'],
  'range.-24h': ['Last 24 h', '24 dernières h', '最近 24 小时'],
  'range.-7d': ['Last 7 days', '7 derniers jours', '最近 7 天'],
  'range.-30d': ['Last 30 days', '30 derniers jours', '最近 30 天'],
  'range.today': ['Today', 'Aujourd’hui', '今天'],
  'range.yesterday': ['Yesterday', 'Hier', '昨天'],
  'range.week': ['This week', 'Cette semaine', '本周'],
  'range.month': ['This month', 'Ce mois-ci', '本月'],
  now: ['now', 'maintenant', '现在'],
  from: ['From', 'De', '从'],
  to: ['To', 'À', '到'],
  apply: ['Apply', 'Appliquer', '应用'],
  zone: ['Time zone', 'Fuseau horaire', '时区'],

  menu: ['Settings and help', 'Réglages et aide', '设置与帮助'],
  language: ['Language', 'Langue', '语言'],
  theme: ['Colours', 'Couleurs', '配色'],
  'theme.auto': ['As the system', 'Comme le système', '跟随系统'],
  'theme.light': ['Light', 'Clair', '浅色'],
  'theme.dark': ['Dark', 'Sombre', '深色'],
  about: ['About', 'À propos', '关于'],
  'about.text': [
    'llm_monitor is a module of nginx that records the LLM traffic passing '
    + 'through it. This page asks the server that it came from, and nothing '
    + 'else.',
    'llm_monitor est un module de nginx qui enregistre le trafic LLM qui le '
    + 'traverse. Cette page n’interroge que le serveur dont elle vient.',
    'llm_monitor 是一个 nginx 模块，记录经过它的 LLM 流量。'
    + '本页面只访问提供它的服务器。',
  ],
  'about.libraries': [
    'It contains these libraries, with thanks to their authors:',
    'Elle contient ces bibliothèques ; merci à leurs auteurs :',
    '本页面包含以下程序库，感谢其作者：',
  ],

  recording: ['Recording', 'Enregistre', '记录中'],
  paused: ['Paused', 'En pause', '已暂停'],
  pause: ['Pause recording', 'Suspendre l’enregistrement', '暂停记录'],
  'pause.text': [
    'For everybody: traffic passes and is counted, but makes no rows until '
    + 'recording is resumed.',
    'Pour tous : le trafic passe et est compté, mais ne fait pas de lignes '
    + 'jusqu’à la reprise.',
    '对所有人生效：流量照常通过并计入统计，但在继续记录之前不产生记录。',
  ],
  resume: ['Resume', 'Reprendre', '继续记录'],
  'paused.text': [
    'Recording is paused: traffic passes and is counted, but makes no rows.',
    'L’enregistrement est suspendu : le trafic passe et est compté, mais ne '
    + 'fait pas de lignes.',
    '记录已暂停：流量照常通过并计入统计，但不产生记录。',
  ],
  'why.unknown': [
    'The server has not said yet what is allowed',
    'Le serveur n’a pas encore dit ce qui est permis',
    '服务器尚未说明允许的操作',
  ],
  'why.read': [
    'Changes are not allowed here: llm_monitor_api read',
    'Les changements ne sont pas permis ici : llm_monitor_api read',
    '此处不允许更改：llm_monitor_api read',
  ],
  'why.scope': [
    'This concerns the rows of all, and you see your own: '
    + 'llm_monitor_scope',
    'Cela concerne les lignes de tous, et vous voyez les vôtres : '
    + 'llm_monitor_scope',
    '这涉及所有人的记录，而您只能查看自己的：llm_monitor_scope',
  ],
  readOnly: ['read only', 'lecture seule', '只读'],
  'scope.user': ['your own rows', 'vos lignes', '仅您的记录'],
  'scope.account': [
    'rows of your account', 'lignes de votre compte', '仅您账号的记录',
  ],
  'status.database': [
    'database {size}', 'base de données {size}', '数据库 {size}',
  ],
  'status.ring': ['ring {part}', 'tampon {part}', '缓冲 {part}'],
  'status.dropped': [
    '{n} lost|{n} lost', '{n} perdue|{n} perdues', '丢失 {n} 条',
  ],
  'status.old': [
    'What you see may be old; trying again.',
    'Ce que vous voyez peut être ancien ; nouvel essai.',
    '显示内容可能已过时，正在重试。',
  ],
  'status.noWriter': [
    'Nothing writes to the database; {n} record waits. See the error log of '
    + 'nginx.|Nothing writes to the database; {n} records wait. See the '
    + 'error log of nginx.',
    'Rien n’écrit dans la base ; {n} enregistrement attend. Voir le journal '
    + 'd’erreurs de nginx.|Rien n’écrit dans la base ; {n} enregistrements '
    + 'attendent. Voir le journal d’erreurs de nginx.',
    '没有进程写入数据库，{n} 条记录等待中。请查看 nginx 错误日志。',
  ],
  'status.full': [
    'The ring is {part} full: writing does not keep up, records may be lost.',
    'Le tampon est plein à {part} : l’écriture ne suit pas, des '
    + 'enregistrements peuvent se perdre.',
    '缓冲已用 {part}：写入跟不上，记录可能丢失。',
  ],

  keys: ['Keys', 'Touches', '快捷键'],
  'key.search': ['Search', 'Chercher', '搜索'],
  'key.help': ['These keys', 'Ces touches', '快捷键列表'],
  'key.move': [
    'Next, previous request', 'Requête suivante, précédente', '下一条、上一条请求',
  ],
  'key.open': ['Open the request', 'Ouvrir la requête', '打开请求'],
  'key.tabs': [
    'Parts of the request', 'Parties de la requête', '请求的各部分',
  ],
  'key.filter': [
    'Filter by the request', 'Filtrer par la requête', '按该请求筛选',
  ],
  'key.fresh': ['Take the new ones', 'Prendre les nouvelles', '显示新请求'],
  'key.close': ['Close, leave', 'Fermer, quitter', '关闭、退出'],
});

export const KEYS: { keys: string[]; word: Parameters<typeof t>[0] }[] = [
  { keys: ['/'], word: 'key.search' },
  { keys: ['j', 'k'], word: 'key.move' },
  { keys: ['Enter'], word: 'key.open' },
  { keys: ['1', '…', '6'], word: 'key.tabs' },
  { keys: ['f'], word: 'key.filter' },
  { keys: ['.'], word: 'key.fresh' },
  { keys: ['Esc'], word: 'key.close' },
  { keys: ['?'], word: 'key.help' },
];
