import { words } from '../core/i18n';

export const t = words({
  caption: ['Requests', 'Requêtes', '请求'],
  rows: ['{n} row|{n} rows', '{n} ligne|{n} lignes', '{n} 行'],
  none: ['Nothing here', 'Rien ici', '没有内容'],
  time: ['Time', 'Heure', '时间'],
  status: ['Status', 'Statut', '状态'],
  model: ['Model', 'Modèle', '模型'],
  tokens: ['Tokens', 'Jetons', 'Token'],
  duration: ['Duration', 'Durée', '时长'],
});
